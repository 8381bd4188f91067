"""Writes one chunk of rows to the database in one transaction."""

from dataclasses import dataclass

from django.db import connection, transaction

from calls.intake.imports.rows import Row

# COPY into a table under row level security is refused, hence the temporary one. The collation is
# that of calls.call_sid, or its index would not serve the joins.
CREATE_INCOMING = """
CREATE TEMPORARY TABLE incoming_calls (
    row bigint, phone_id text, caller_number text, call_sid text COLLATE "C",
    status text, provider_status text, duration integer, recording_url text,
    transcript text, ai_summary text, ai_confidence numeric(3,2), created_at timestamptz,
    metadata jsonb, tags text[], custom_fields jsonb
)
"""
COPY_INCOMING = "COPY incoming_calls FROM STDIN"
DROP_INCOMING = "DROP TABLE incoming_calls"

# Two imports of the same calls in different orders would deadlock.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('import_calls'))"

# Held until the chunk is committed, so that neither an event nor the archiver changes them.
LOCK_EXISTING = """
SELECT i.row, i.call_sid, c.phone_id = i.phone_id
FROM incoming_calls i JOIN calls c USING (call_sid)
ORDER BY c.id FOR UPDATE OF c
"""

MERGE_EXISTING = """
WITH merged AS (
    SELECT c.id, i.row,
        CASE WHEN f.is_later THEN i.status ELSE c.status END AS status,
        CASE WHEN c.caller_number = 'unknown' THEN i.caller_number
            ELSE c.caller_number END AS caller_number,
        CASE WHEN f.is_later THEN i.provider_status
            WHEN f.is_same THEN coalesce(c.provider_status, i.provider_status)
            ELSE c.provider_status END AS provider_status,
        CASE WHEN f.is_later OR f.is_same THEN greatest(c.duration, i.duration)
            ELSE c.duration END AS duration,
        coalesce(c.recording_url, i.recording_url) AS recording_url,
        coalesce(c.transcript, i.transcript) AS transcript,
        coalesce(c.ai_summary, i.ai_summary) AS ai_summary,
        -- The confidence belongs to the summary that is kept.
        CASE WHEN c.ai_summary IS NULL AND i.ai_summary IS NOT NULL
            THEN coalesce(i.ai_confidence, c.ai_confidence)
            ELSE c.ai_confidence END AS ai_confidence
    FROM incoming_calls i JOIN calls c USING (call_sid, phone_id)
    CROSS JOIN LATERAL (
        SELECT app.call_progress(i.status, i.provider_status)
                > app.call_progress(c.status, c.provider_status)
            -- A time-out that we set does not replace another one.
            AND (c.provider_status, i.provider_status)
                IS DISTINCT FROM ('timed-out', 'timed-out') AS is_later,
            c.status = i.status AS is_same
    ) f
)
UPDATE calls c SET
    status = m.status, provider_status = m.provider_status, caller_number = m.caller_number,
    duration = m.duration, recording_url = m.recording_url, transcript = m.transcript,
    ai_summary = m.ai_summary, ai_confidence = m.ai_confidence
FROM merged m
WHERE c.id = m.id
    AND (c.status, c.provider_status, c.caller_number, c.duration, c.recording_url, c.transcript,
        c.ai_summary, c.ai_confidence)
    IS DISTINCT FROM (m.status, m.provider_status, m.caller_number, m.duration, m.recording_url,
        m.transcript, m.ai_summary, m.ai_confidence)
RETURNING m.row
"""

# After LOCK_EXISTING, which waits for an archiver that is moving one of these calls.
DROP_ARCHIVED = """
DELETE FROM incoming_calls i USING calls_archive a WHERE a.call_sid = i.call_sid
"""

# 0.8 is the column's default, which a SELECT cannot refer to.
INSERT_NEW = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, provider_status, duration,
    recording_url, transcript, ai_summary, ai_confidence, created_at)
SELECT phone_id, caller_number, call_sid, status, provider_status, duration,
    recording_url, transcript, ai_summary, coalesce(ai_confidence, 0.8), created_at
FROM incoming_calls
ON CONFLICT (call_sid) DO NOTHING
"""

INSERT_METADATA = """
WITH added AS (
    INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields)
    SELECT c.id, c.phone_id, coalesce(i.metadata, '{}'), coalesce(i.tags, '{}'),
        coalesce(i.custom_fields, '{}')
    FROM incoming_calls i JOIN calls c USING (call_sid, phone_id)
    WHERE i.metadata IS NOT NULL OR i.tags IS NOT NULL OR i.custom_fields IS NOT NULL
    ON CONFLICT (call_id) DO NOTHING
    RETURNING call_id
)
SELECT i.row
FROM added a JOIN calls c ON c.id = a.call_id JOIN incoming_calls i USING (call_sid)
"""


@dataclass(frozen=True)
class LoadResult:
    """The result of a chunk; foreign are rows of another line's calls."""

    new: int
    updated: int
    archived: int
    foreign: list[tuple[int, str]]


def load(rows: list[Row], *, dry_run: bool = False) -> LoadResult:
    """Needs a scope of all tenants. A dry run does everything and rolls it back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
        cursor.execute(CREATE_INCOMING)
        with cursor.copy(COPY_INCOMING) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(LOCK_EXISTING)
        existing = cursor.fetchall()
        changed: set[int] = set()
        if existing:
            cursor.execute(MERGE_EXISTING)
            changed.update(row for (row,) in cursor.fetchall())
        cursor.execute(DROP_ARCHIVED)
        archived = cursor.rowcount
        cursor.execute(INSERT_NEW)
        new = cursor.rowcount
        if any(row.has_metadata() for row in rows):
            cursor.execute(INSERT_METADATA)
            changed.update(row for (row,) in cursor.fetchall())
        cursor.execute(DROP_INCOMING)
        transaction.set_rollback(dry_run)
    return LoadResult(
        new=new,
        updated=len(changed & {row for row, _, is_same_line in existing if is_same_line}),
        archived=archived,
        foreign=[(row, call_sid) for row, call_sid, is_same_line in existing if not is_same_line],
    )
