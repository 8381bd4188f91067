"""Writes rows of a file to the database in one transaction, or counts what that would do."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from calls.claims import PROVIDER_SID
from calls.intake.imports.merging import CONFIDENCE, HAS_METADATA, MERGED, NEW_STATES
from calls.intake.imports.rows import Row
from database import exact_json

COLUMNS = """
    row bigint, phone_id text, caller_number text, call_sid text COLLATE "C",
    status text, provider_status text, duration integer, recording_url text,
    transcript text, ai_summary text, ai_confidence numeric(3,2), created_at timestamptz,
    metadata jsonb, tags text[], custom_fields jsonb
"""
# COPY into a table under row level security is refused, hence the temporary one. The collation is
# that of calls.call_sid, or its index would not serve the joins.
CREATE_INCOMING = f"CREATE TEMPORARY TABLE incoming_calls ({COLUMNS})"
COPY_INCOMING = "COPY incoming_calls FROM STDIN"
DROP_INCOMING = "DROP TABLE incoming_calls"

# Two imports of the same calls in different orders would deadlock.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('import_calls'))"

SID_OF_CLAIM = PROVIDER_SID.replace("c.phone_id", "i.phone_id")
# What a program of the line claimed through the API is the call of the file. The function names
# both tables, so that it is asked of claims alone, not of each row or call.
IS_CLAIM = f"""
c.call_sid = app.claimed_sid(i.call_sid, i.phone_id) AND c.phone_id = i.phone_id
    AND NOT EXISTS (SELECT FROM app.line_of_call({SID_OF_CLAIM}))
"""
# With app.claim_call(), which sees no row of this transaction. Only the line's own claims wait.
KEEP_CLAIMS_OUT = """
SELECT count(pg_advisory_xact_lock(hashtextextended('import to ' || phone_id, 0)))
FROM (SELECT DISTINCT phone_id FROM incoming_calls ORDER BY phone_id) AS lines
"""
CONFIRM_CLAIMS = f"""
UPDATE calls c SET call_sid = i.call_sid FROM incoming_calls i WHERE {IS_CLAIM}
"""

# The claims of our own export. They take turns with events of their calls. A claim that was
# confirmed or archived since, or that is a leg, is then loaded as that call or leg.
OF_PROVIDER = PROVIDER_SID.replace("c.", "i.")
LOCK_CLAIMS = f"""
SELECT count(pg_advisory_xact_lock(hashtextextended(call_sid, 0)))
FROM (
    SELECT call_sid FROM incoming_calls i WHERE call_sid <> {OF_PROVIDER} ORDER BY call_sid
) AS claims
"""
IS_CONFIRMED = f"""
i.call_sid <> {OF_PROVIDER}
    AND EXISTS (SELECT FROM app.line_of_call({OF_PROVIDER}) l WHERE l.phone_id = i.phone_id)
    -- A leg may have such a claim beside it.
    AND NOT EXISTS (SELECT FROM calls k WHERE k.call_sid = i.call_sid)
"""
NAME_CONFIRMED = f"UPDATE incoming_calls i SET call_sid = {OF_PROVIDER} WHERE {IS_CONFIRMED}"

# Further states of legs, which need not name their call again.
IS_LEG = "l.leg_sid = i.call_sid AND l.phone_id = i.phone_id"
TAKE_LEGS = f"""
DELETE FROM incoming_calls i USING call_legs l WHERE {IS_LEG} RETURNING i.row, l.call_sid
"""

# Held until the transaction is committed, so that neither an event nor the archiver changes them.
LOCK_EXISTING = """
SELECT i.row, i.call_sid, c.phone_id = i.phone_id
FROM incoming_calls i JOIN calls c USING (call_sid)
ORDER BY c.id FOR UPDATE OF c
"""

MERGE_EXISTING = f"""
WITH {MERGED}, changed_calls AS (
    UPDATE calls c SET
        status = m.status, provider_status = m.provider_status, caller_number = m.caller_number,
        duration = m.duration, recording_url = m.recording_url, transcript = m.transcript,
        ai_summary = m.ai_summary, ai_confidence = m.ai_confidence, created_at = m.created_at
    FROM merged m WHERE c.id = m.id AND m.is_other_call
), changed_metadata AS (
    INSERT INTO call_metadata AS d (call_id, phone_id, metadata, tags, custom_fields)
    SELECT m.id, m.phone_id, m.metadata, m.tags, m.custom_fields
    FROM merged m WHERE m.is_other_metadata
    ON CONFLICT (call_id) DO UPDATE SET metadata = excluded.metadata, tags = excluded.tags,
        custom_fields = excluded.custom_fields
), kept AS (
    INSERT INTO imported_states AS s (call_id, phone_id, states)
    SELECT m.id, m.phone_id, m.states FROM merged m WHERE m.states <> '{{}}'
    ON CONFLICT (call_id) DO UPDATE SET states = excluded.states
    WHERE s.states <> excluded.states
)
SELECT m.row FROM merged m WHERE m.is_other_call OR m.is_other_metadata
"""

# After LOCK_EXISTING, which waits for an archiver that is moving one of these calls.
DROP_ARCHIVED = """
DELETE FROM incoming_calls i USING calls_archive a WHERE a.call_sid = i.call_sid
"""

# A claim that was archived before the provider confirmed it.
IS_ARCHIVED_CLAIM = """
a.call_sid = app.claimed_sid(i.call_sid, i.phone_id)
    AND NOT EXISTS (SELECT FROM calls c WHERE c.call_sid = i.call_sid)
"""
DROP_ARCHIVED_CLAIMS = f"""
DELETE FROM incoming_calls i USING app.archived_call_sids a WHERE {IS_ARCHIVED_CLAIM}
"""

INSERT_NEW = f"""
WITH new AS (
    INSERT INTO calls (phone_id, caller_number, call_sid, status, provider_status, duration,
        recording_url, transcript, ai_summary, ai_confidence, created_at)
    SELECT phone_id, caller_number, call_sid, status, provider_status, duration,
        recording_url, transcript, ai_summary, {CONFIDENCE}, created_at
    FROM incoming_calls i
    ON CONFLICT (call_sid) DO NOTHING
    RETURNING id, phone_id, call_sid, caller_number
), new_metadata AS (
    INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields)
    SELECT c.id, c.phone_id, coalesce(i.metadata, '{{}}'), coalesce(i.tags, '{{}}'),
        coalesce(i.custom_fields, '{{}}')
    FROM incoming_calls i JOIN new c USING (call_sid) WHERE {HAS_METADATA}
), kept AS (
    INSERT INTO imported_states (call_id, phone_id, states)
    SELECT c.id, c.phone_id, states
    FROM incoming_calls i JOIN new c USING (call_sid)
        CROSS JOIN LATERAL (SELECT {NEW_STATES}) AS s (states)
    WHERE states <> '{{}}'
)
SELECT call_sid FROM new
"""

# The provider's address is one recording of several, which app.keep_call_recording() chooses from.
# That which the call has is recorded before another address replaces it.
IS_NEW_RECORDING = """
i.recording_url IS NOT NULL
    AND app.recording_sid_of(i.recording_url)
        IS DISTINCT FROM app.recording_sid_of(c.recording_url)
    AND NOT EXISTS (SELECT FROM call_recordings r
        WHERE (r.phone_id, r.call_sid) = (c.phone_id, c.call_sid) AND r.recording_sid = coalesce(
            app.recording_sid_of(i.recording_url), app.recording_sid_of(c.recording_url))
        AND r.url IS NOT NULL)
"""
ADD_RECORDINGS = f"""
SELECT i.row, app.add_imported_recording(i.phone_id, i.call_sid, i.recording_url)
FROM incoming_calls i JOIN calls c USING (call_sid, phone_id) WHERE {IS_NEW_RECORDING}
"""

# What load() would do, by reading alone.
COUNT_CHANGES = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r ({COLUMNS})
), incoming_calls AS MATERIALIZED (
    SELECT i.row, i.phone_id, i.caller_number,
        CASE WHEN {IS_CONFIRMED} THEN {OF_PROVIDER}
            ELSE coalesce(c.call_sid, i.call_sid) END AS call_sid,
        i.status, i.provider_status, i.duration, i.recording_url, i.transcript, i.ai_summary,
        i.ai_confidence, i.created_at, i.metadata, i.tags, i.custom_fields
    FROM given i LEFT JOIN calls c ON {IS_CLAIM}
), {MERGED}
SELECT i.row, i.call_sid, c.phone_id = i.phone_id,
    (SELECT l.call_sid FROM call_legs l WHERE {IS_LEG} LIMIT 1),
    EXISTS (SELECT FROM calls_archive a WHERE a.call_sid = i.call_sid)
        OR EXISTS (SELECT FROM app.archived_call_sids a WHERE {IS_ARCHIVED_CLAIM}),
    EXISTS (SELECT FROM merged m WHERE m.row = i.row AND (m.is_other_call OR m.is_other_metadata))
        OR c.phone_id = i.phone_id AND coalesce({IS_NEW_RECORDING}, false)
FROM incoming_calls i LEFT JOIN calls c USING (call_sid)
"""


@dataclass(frozen=True)
class LoadResult:
    """The result of a chunk; foreign are rows of another line's calls.

    legs are rows of legs that are known, by their number, each with the SID of its call.
    """

    new: int
    updated: int
    archived: int
    foreign: list[tuple[int, str]]
    legs: dict[int, str]


def load(rows: list[Row]) -> LoadResult:
    """Write rows that have each call once. Needs a scope of all tenants."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
        cursor.execute(CREATE_INCOMING)
        with cursor.copy(COPY_INCOMING) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(KEEP_CLAIMS_OUT)
        if any(row.is_claim() for row in rows):
            cursor.execute(LOCK_CLAIMS)
            cursor.execute(NAME_CONFIRMED)
        cursor.execute(TAKE_LEGS)
        legs = dict(cursor.fetchall())
        cursor.execute(CONFIRM_CLAIMS)
        changed: set[int] = set()
        existing = _merge_existing(cursor, changed)
        cursor.execute(DROP_ARCHIVED)
        archived = cursor.rowcount
        cursor.execute(DROP_ARCHIVED_CLAIMS)
        archived += cursor.rowcount
        cursor.execute(INSERT_NEW)
        inserted = {call_sid for (call_sid,) in cursor.fetchall()}
        if len(existing) + archived + len(inserted) + len(legs) < len(rows):
            # An event made one of the calls after they were locked. INSERT_NEW has waited for it.
            existing = [
                call for call in _merge_existing(cursor, changed) if call[1] not in inserted
            ]
        cursor.execute(DROP_INCOMING)
    return LoadResult(
        new=len(inserted),
        updated=len(changed & {row for row, _, is_same_line in existing if is_same_line}),
        archived=archived,
        foreign=[(row, call_sid) for row, call_sid, is_same_line in existing if not is_same_line],
        legs=legs,
    )


def _merge_existing(cursor: Any, changed: set[int]) -> list[tuple[int, str, bool]]:
    """Lock and merge; returns the row and SID of each call, and whether its line is the row's."""
    cursor.execute(LOCK_EXISTING)
    existing: list[tuple[int, str, bool]] = cursor.fetchall()
    if existing:
        cursor.execute(ADD_RECORDINGS)
        changed.update(row for row, is_new in cursor.fetchall() if is_new)
        cursor.execute(MERGE_EXISTING)
        changed.update(row for (row,) in cursor.fetchall())
    return existing


def count_changes(rows: list[Row], repeated: set[int]) -> LoadResult:
    """What load() would return; nothing is locked or written. Needs a scope of all tenants.

    repeated are rows of a call with an earlier row, which are not counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNT_CHANGES, [exact_json.dumps([row.as_json() for row in rows])])
        found = cursor.fetchall()
    legs = {row: call_sid for row, _, _, call_sid, _, _ in found if call_sid is not None}
    first = [one for one in found if one[0] not in repeated and one[0] not in legs]
    known = [(row, sid, same, news) for row, sid, same, _, _, news in first if same is not None]
    archived = sum(is_archived for _, _, same, _, is_archived, _ in first if same is None)
    return LoadResult(
        new=len(first) - len(known) - archived,
        updated=sum(same and changes for _, _, same, changes in known),
        archived=archived,
        foreign=[(row, call_sid) for row, call_sid, same, _ in known if not same],
        legs=legs,
    )
