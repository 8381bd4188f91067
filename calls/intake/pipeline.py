"""Merges the AI's results into a call, before or after its telephony events."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from calls.intake.models import EventOutcome
from database import exact_json
from tenancy.scope import current_scope


class IsLeg(Exception):
    """The SID is that of a leg of one of the line's calls."""


class Archived(Exception):
    """The call is in the archive."""


@dataclass(frozen=True)
class DeliveryResult:
    """The current call; created: it was not known before."""

    created: bool
    call: dict[str, Any]


# An unknown call is created as ringing, the lowest state, so that any later event of the provider
# moves it forward. A known call does not change.
FIND_OR_MAKE = "SELECT outcome, stored_sid FROM app.claim_call(%(given_sid)s)"

# The provider's address is one recording of several, which app.keep_call_recording() chooses from.
ADD_RECORDING = "SELECT app.add_recording(%(call_sid)s, %(recording_url)s)"
# NULL leaves a column as it is. Equal values are not written, so that updated_at only changes with
# the call. No row when the call is not there any more.
SET_COLUMNS = """
WITH new (id, transcript, ai_summary, ai_confidence, recording_url) AS MATERIALIZED (
    SELECT id, coalesce(%(transcript)s, transcript), coalesce(%(ai_summary)s, ai_summary),
        coalesce(round(%(ai_confidence)s::numeric, 2), ai_confidence),
        CASE WHEN app.recording_sid_of(%(recording_url)s) IS NULL
            THEN coalesce(%(recording_url)s, recording_url) ELSE recording_url END
    FROM calls WHERE call_sid = %(call_sid)s FOR UPDATE
), changed AS (
    UPDATE calls SET transcript = new.transcript, ai_summary = new.ai_summary,
        ai_confidence = new.ai_confidence, recording_url = new.recording_url
    FROM new
    WHERE calls.id = new.id
        AND (calls.transcript, calls.ai_summary, calls.ai_confidence, calls.recording_url)
            IS DISTINCT FROM (new.transcript, new.ai_summary, new.ai_confidence, new.recording_url)
)
SELECT id FROM new
"""
# Keys are merged, tags are added.
SET_METADATA = """
INSERT INTO call_metadata AS m (call_id, phone_id, metadata, tags, custom_fields)
SELECT id, phone_id, %(metadata)s, %(tags)s::text[], %(custom_fields)s
FROM calls WHERE call_sid = %(call_sid)s
ON CONFLICT (call_id) DO UPDATE SET
    metadata = m.metadata || excluded.metadata,
    tags = m.tags || ARRAY(SELECT t FROM unnest(excluded.tags) AS t WHERE t <> ALL (m.tags)),
    custom_fields = m.custom_fields || excluded.custom_fields
WHERE (m.metadata || excluded.metadata, m.custom_fields || excluded.custom_fields)
        IS DISTINCT FROM (m.metadata, m.custom_fields)
    OR NOT m.tags @> excluded.tags
"""
READ = """
SELECT json_build_object('id', id, 'phone_id', phone_id, 'call_sid', %(given_sid)s::text,
    'status', status,
    'created_at', created_at, 'updated_at', updated_at)
FROM calls WHERE call_sid = %(call_sid)s
"""


def deliver(
    *,
    call_sid: str,
    transcript: str | None = None,
    ai_summary: str | None = None,
    ai_confidence: float | None = None,
    recording_url: str | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    custom_fields: dict[str, Any] | None = None,
) -> DeliveryResult:
    """Merge what is given into a call of the scope's line. Raises IsLeg or Archived.

    What other lines have under this SID changes nothing: until the provider confirms that the
    call is this line's, it is stored under a SID of its own (app.claimed_sid).
    """
    assert current_scope().phone_id
    values: dict[str, Any] = {
        "given_sid": call_sid,
        "transcript": transcript,
        "ai_summary": ai_summary,
        "ai_confidence": ai_confidence,
        "recording_url": recording_url,
        "tags": list(dict.fromkeys(tags or [])),
        "metadata": Jsonb(metadata or {}, exact_json.dumps),
        "custom_fields": Jsonb(custom_fields or {}, exact_json.dumps),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        outcome = _merge_columns(cursor, values)
        if tags or metadata or custom_fields:
            cursor.execute(SET_METADATA, values)
        cursor.execute(READ, values)
        [call] = cursor.fetchone()
    return DeliveryResult(created=outcome == EventOutcome.APPLIED, call=call)


def _merge_columns(cursor: Any, values: dict[str, Any]) -> str:
    """Set call_sid to what the call is stored under; returns the outcome of app.claim_call()."""
    while True:
        cursor.execute(FIND_OR_MAKE, values)
        outcome, values["call_sid"] = cursor.fetchone()
        if outcome == "leg":
            raise IsLeg
        if outcome == EventOutcome.ARCHIVED:
            raise Archived
        if values["recording_url"]:
            cursor.execute(ADD_RECORDING, values)
        cursor.execute(SET_COLUMNS, values)
        if cursor.fetchone():
            return str(outcome)
        # Archived, deleted or confirmed by the provider since it was found: look again.
