"""Writes what the lines' AI would have been answered during their latest calls."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection

from database import exact_json
from decisions.answer import as_document
from decisions.comparison import PastCall
from decisions.decision import decide, prepare
from decisions.past_facts import past_calls
from decisions.situation import Facts
from decisions.stored_settings import StoredSettings, settings_of_lines
from demo.businesses import Business

MAX_LINES, CALLS_OF_A_LINE = 12, 8
# A decision at the start of a call, and another when it is known what the caller wants.
FIRST_WORDS = timedelta(seconds=20)
KNOWN_AT_ONCE = ("caller", "first_time_caller", "language")

INSERT_SETTINGS = """
INSERT INTO decision_settings (id, phone_id, version, settings, created_at)
VALUES (md5(%(line)s)::uuid, %(line)s, %(version)s, %(settings)s, %(at)s)
"""
INSERT_DECISIONS = """
INSERT INTO call_decisions (
    phone_id, call_sid, digest, at, created_at, facts, settings_version, answer
)
SELECT c.phone_id, c.call_sid, d.digest, d.at, d.at, d.facts, d.version, d.answer
FROM jsonb_to_recordset(%(decisions)s) AS d (
    call uuid, digest text, at timestamptz, facts jsonb, version text, answer jsonb
)
JOIN calls AS c ON c.id = d.call
"""


def save_decisions(*, businesses: list[Business], until: datetime) -> None:
    """For the latest calls of the busiest lines."""
    lines = [each.phone_id for each in businesses[:MAX_LINES]]
    stored = settings_of_lines(lines)
    with connection.cursor() as cursor:
        for line in lines:
            settings = stored[line]
            values = {"line": line, "version": settings.version, "settings": settings.text}
            cursor.execute(INSERT_SETTINGS, values | {"at": until})
            decisions = list(_decisions(line, settings, until))
            cursor.execute(INSERT_DECISIONS, {"decisions": exact_json.dumps(decisions)})


def _decisions(line: str, settings: StoredSettings, until: datetime) -> Iterator[dict[str, Any]]:
    prepared = prepare(settings.line_settings)
    calls = past_calls(line, since=until - timedelta(days=7), until=until)
    for call in islice(calls, CALLS_OF_A_LINE):
        for at, facts in _known(call):
            answer = as_document(decide(prepared, at=at, facts=facts))
            text = f"{at} {exact_json.dumps(facts)}"
            yield {
                "call": str(call.id),
                "digest": hashlib.sha256(text.encode()).hexdigest()[:32],
                "at": at.isoformat(),
                "facts": facts,
                "version": settings.version,
                "answer": answer,
            }


def _known(call: PastCall) -> Iterator[tuple[datetime, Facts]]:
    """The moments of decisions, and the facts that were known by then."""
    yield call.moment, {name: call.facts[name] for name in KNOWN_AT_ONCE if name in call.facts}
    if intent := call.facts.get("intent"):
        facts = {**call.facts, "asks_for_person": intent == "transfer", "urgency": "normal"}
        yield call.moment + FIRST_WORDS, facts
