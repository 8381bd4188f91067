"""Keeps what was decided for a call, with the settings that it was decided by."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from calls.decisions import MAX_DECISIONS
from calls.intake.pipeline import Archived, IsLeg
from database import exact_json
from database.prepared import Statement
from decisions.stored_settings import StoredSettings
from tenancy import current_scope

# The settings are kept once for each version.
KEEP = Statement(
    """
WITH kept AS MATERIALIZED (
    SELECT app.keep_call_decision(
        %(call_sid)s, %(at)s, %(facts)s, %(version)s, %(answer)s, %(most)s) AS outcome
), settings AS (
    INSERT INTO decision_settings (phone_id, version, settings)
    SELECT %(line)s, %(version)s, %(settings)s FROM kept WHERE outcome = 'kept'
    ON CONFLICT (phone_id, version) DO NOTHING
)
SELECT outcome FROM kept
""",
    line="text",
    call_sid="text",
    at="timestamptz",
    facts="jsonb",
    version="text",
    settings="jsonb",
    answer="jsonb",
    most="integer",
)


class TooManyDecisions(Exception):
    """MAX_DECISIONS are kept for this SID already."""


def record(
    *,
    call_sid: str,
    at: datetime,
    facts: Mapping[str, Any],
    settings: StoredSettings,
    answer: Mapping[str, Any],
) -> None:
    """Add to the decisions of the call of this SID in the scope's line; the same again is not.

    The call need not be known yet. Raises IsLeg, Archived and TooManyDecisions.
    """
    values = {
        "line": current_scope().phone_id,
        "call_sid": call_sid,
        "at": at,
        "facts": exact_json.dumps(facts),
        "version": settings.version,
        "settings": settings.text,
        "answer": exact_json.dumps(answer),
        "most": MAX_DECISIONS,
    }
    [(outcome,)] = KEEP.fetch_all(values)
    if outcome == "leg":
        raise IsLeg
    if outcome == "archived":
        raise Archived
    if outcome == "full":
        raise TooManyDecisions
