"""The facts of past calls, live and archived: what was known of them, and what of it was kept.

Of a call for which a decision was kept, they are its moment and what was known then, and no more.
Of others, the beginning of the call and what its row, its metadata and the history before it have.

They come newest first, in pages by keyset, so that no statement runs long, none holds a lock, and
a caller that stops asking stops the reading.
"""

import re
from collections.abc import Collection, Generator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from calls.claims import PROVIDER_SID
from calls.dialogue import turns
from database import exact_json
from decisions.comparison import PastCall
from decisions.situation import FACT_NAMES
from tenants.addresses import ANONYMOUS, UNKNOWN
from tenants.rules import definitions

Position = tuple[datetime, UUID]

PAGE_SIZE = 5_000  # calls of one statement
# Facts that the AI pipeline writes to a call's metadata under their own names.
FROM_METADATA = ("intent", "language", "sentiment", "urgency")
LANGUAGE = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

# The last decision that was kept of a call.
DECIDED = {
    "calls": f"""
        SELECT d.at, d.facts FROM call_decisions AS d
        WHERE (d.phone_id, d.call_sid) = (c.phone_id, {PROVIDER_SID})
        ORDER BY d.created_at DESC, d.digest DESC LIMIT 1""",
    "calls_archive": """
        SELECT d.at, d.facts FROM jsonb_to_recordset(c.decisions)
            AS d (at timestamptz, created_at timestamptz, digest text, facts jsonb)
        ORDER BY d.created_at DESC, d.digest DESC LIMIT 1""",
}
METADATA = {
    "calls": "(SELECT m.metadata FROM call_metadata AS m WHERE m.call_id = c.id)",
    "calls_archive": "c.metadata",
}
NOTED = """,
    CASE jsonb_typeof(metadata -> '{name}') WHEN 'string' THEN metadata ->> '{name}' END"""
PAGE = """
SELECT id, created_at, caller_number, at, facts, transcript{noted}
FROM ({live} UNION ALL {archived}) AS c
ORDER BY created_at DESC, id DESC LIMIT %(size)s
"""
ROWS = """(
    SELECT c.id, c.created_at, c.caller_number, decided.at, decided.facts, {columns}
    FROM {table} AS c LEFT JOIN LATERAL ({decided}) AS decided ON true
    WHERE c.phone_id = %(line)s AND c.created_at >= %(since)s AND c.created_at < %(until)s
        AND (c.created_at, c.id) < (%(at)s, %(id)s)
    ORDER BY c.created_at DESC, c.id DESC LIMIT %(size)s
)"""
# Without an earlier call in the database, live or archived; those before `since` are left out.
FIRST_CALLS = """
SELECT caller_number, min(created_at) FROM (
    SELECT caller_number, created_at FROM calls
    WHERE phone_id = %(line)s AND created_at < %(until)s
    UNION ALL
    SELECT caller_number, created_at FROM calls_archive
    WHERE phone_id = %(line)s AND created_at < %(until)s
) AS c GROUP BY caller_number HAVING min(created_at) >= %(since)s
"""
FIRST_DROPPED = "SELECT min(since) FROM sealed_months WHERE phone_id = %(line)s AND calls > 0"
LAST_ID = UUID(int=2**128 - 1)


def past_calls(
    line: str,
    *,
    since: datetime,
    until: datetime,
    facts: Collection[str] = FACT_NAMES,
    after: Position | None = None,
) -> Generator[PastCall, None, None]:
    """The line's calls that began in [since, until), newest first; needs a scope with the line.

    They begin after the call of `after`, its created_at and id. Only the named facts are read, and
    the caller's number; of a decided call, all that was known. What is not known is left out.
    """
    known = _Reading(line, since=since, until=until, facts=frozenset(facts))
    at, last_id = after or (until, LAST_ID)
    while True:
        page = known.page(at, last_id)
        yield from map(known.call, page)
        if len(page) < PAGE_SIZE:
            return
        at, last_id = page[-1][1], page[-1][0]


def past_call(call: Any, *, facts: Collection[str] = FACT_NAMES) -> PastCall:
    """Of one call, live or archived; without any facts if it was deleted meanwhile."""
    until = call.created_at + timedelta(microseconds=1)
    found = past_calls(call.phone_id, since=call.created_at, until=until, facts=facts)
    unknown = PastCall(call.pk, call.created_at, call.created_at, {})
    return next((each for each in found if each.id == call.pk), unknown)


class _Reading:
    def __init__(
        self, line: str, *, since: datetime, until: datetime, facts: frozenset[str]
    ) -> None:
        self._range: dict[str, Any] = {"line": line, "since": since, "until": until}
        self._has_words = "said" in facts
        self._noted = tuple(name for name in FROM_METADATA if name in facts)
        self._sql = page_sql(self._noted, self._has_words)
        self._has_first = "first_time_caller" in facts
        if self._has_first:
            self._first_calls = dict(self._rows(FIRST_CALLS))
            [[self._dropped]] = self._rows(FIRST_DROPPED)

    def page(self, at: datetime, last_id: UUID) -> list[Any]:
        return self._rows(self._sql, at=at, id=last_id, size=PAGE_SIZE)

    def call(self, row: Any) -> PastCall:
        call_id, began, number, decided_at, decided_facts, transcript, *noted = row
        if decided_at is not None:
            return PastCall(call_id, began, decided_at, exact_json.loads(decided_facts))
        facts: dict[str, str | bool | None] = {}
        if number != UNKNOWN:
            facts["caller"] = None if number == ANONYMOUS else number
        if self._has_first and facts.get("caller") is not None:
            self._note_first(facts, began, number)
        if self._has_words and (words := words_of_caller(transcript)) is not None:
            facts["said"] = words
        facts |= {
            name: value
            for name, value in zip(self._noted, noted, strict=True)
            if value is not None and is_fact(name, value)
        }
        return PastCall(call_id, began, began, facts)

    def _note_first(self, facts: Any, began: datetime, number: str) -> None:
        """Unknown where an earlier call may have been among those dropped from the archive."""
        if self._first_calls.get(number) != began:
            facts["first_time_caller"] = False
        elif self._dropped is None or began <= self._dropped:
            facts["first_time_caller"] = True

    def _rows(self, sql: str, **values: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self._range, **values})
            rows: list[Any] = cursor.fetchall()
            return rows


@lru_cache(maxsize=64)
def page_sql(noted: tuple[str, ...], has_words: bool) -> str:
    """id, created_at, caller_number, transcript or NULL, and each of the noted facts.

    Before the transcript, of the last decision: the moment and the facts, or NULL.
    """

    def rows(table: str) -> str:
        transcript = "c.transcript" if has_words else "NULL"
        metadata = METADATA[table] if noted else "NULL::jsonb"
        columns = f"{transcript} AS transcript, {metadata} AS metadata"
        return ROWS.format(table=table, columns=columns, decided=DECIDED[table])

    return PAGE.format(
        noted="".join(NOTED.format(name=name) for name in noted),
        live=rows("calls"),
        archived=rows("calls_archive"),
    )


def words_of_caller(transcript: str | None) -> str | None:
    """The caller's words; None where the transcript does not tell who spoke."""
    spoken = turns(transcript)
    if not spoken:
        return None
    return "\n".join(turn.text for turn in spoken if turn.is_caller)


@lru_cache(maxsize=1000)
def is_fact(name: str, value: str) -> bool:
    """Whether a text of the metadata is a value that the vocabulary of conditions allows."""
    if name == "intent":
        return bool(value.strip())
    if name == "language":
        return LANGUAGE.fullmatch(value) is not None
    return value in _values(name)


@lru_cache
def _values(name: str) -> tuple[str, ...]:
    return tuple(definitions()["conditions"]["properties"][name]["enum"])
