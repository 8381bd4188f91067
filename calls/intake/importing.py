"""Loads a file of calls: in chunks of one transaction each, to be repeated at will.

What a file says of a call that is there already only ever adds to it. A later status moves the
call forward (ringing < answered < completed = failed); a recording, transcript, summary or
metadata that the call lacks is filled in. Nothing is overwritten and nothing goes backward, so the
same file twice changes nothing. A call in the archive stays there as it is.
"""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

import django.db
import psycopg
from django.db import connection, transaction

from calls.intake.formats import Records, Source, UnreadableFile
from calls.intake.numbers import Lines
from calls.intake.rejects import RejectsFile
from calls.intake.rows import Rejected, Row, RowReader, call_sid_of
from calls.intake.times import TimeReader
from tenants.models import PhoneNumber
from tenants.scoping import all_tenants

CHUNK_ROWS = 20_000
CHUNK_CHARACTERS = 16 * 1024 * 1024  # of free text, so that long transcripts make short chunks

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

# Two imports of the same calls in different orders would lock each other out.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('import_calls'))"

# Held until the chunk is committed: neither an event nor the archiver changes them meanwhile.
LOCK_EXISTING = """
SELECT i.row, i.call_sid, c.phone_id = i.phone_id
FROM incoming_calls i JOIN calls c USING (call_sid)
FOR UPDATE OF c
"""

MERGE_EXISTING = """
WITH merged AS (
    SELECT c.id, i.row,
        CASE WHEN f.is_later THEN i.status ELSE c.status END AS status,
        CASE WHEN f.is_later THEN i.provider_status
            WHEN f.is_same THEN coalesce(c.provider_status, i.provider_status)
            ELSE c.provider_status END AS provider_status,
        CASE WHEN f.is_later OR f.is_same THEN greatest(c.duration, i.duration)
            ELSE c.duration END AS duration,
        coalesce(c.recording_url, i.recording_url) AS recording_url,
        coalesce(c.transcript, i.transcript) AS transcript,
        coalesce(c.ai_summary, i.ai_summary) AS ai_summary,
        -- The confidence belongs to the summary that is taken.
        CASE WHEN c.ai_summary IS NULL AND i.ai_summary IS NOT NULL
            THEN coalesce(i.ai_confidence, c.ai_confidence)
            ELSE c.ai_confidence END AS ai_confidence
    FROM incoming_calls i JOIN calls c USING (call_sid, phone_id)
    CROSS JOIN LATERAL (
        SELECT (c.status = 'ringing' AND i.status <> 'ringing')
            OR (c.status = 'answered' AND i.status IN ('completed', 'failed')) AS is_later,
            c.status = i.status AS is_same
    ) f
)
UPDATE calls c SET
    status = m.status, provider_status = m.provider_status, duration = m.duration,
    recording_url = m.recording_url, transcript = m.transcript, ai_summary = m.ai_summary,
    ai_confidence = m.ai_confidence
FROM merged m
WHERE c.id = m.id
    AND (c.status, c.provider_status, c.duration, c.recording_url, c.transcript, c.ai_summary,
        c.ai_confidence)
    IS DISTINCT FROM (m.status, m.provider_status, m.duration, m.recording_url, m.transcript,
        m.ai_summary, m.ai_confidence)
RETURNING m.row
"""

# After LOCK_EXISTING, which waits for an archiver that is moving one of these calls.
FORGET_ARCHIVED = """
DELETE FROM incoming_calls i USING calls_archive a WHERE a.call_sid = i.call_sid
"""

# 0.8 is the column's default, which a SELECT cannot ask for.
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


class ImportFailed(Exception):
    """The import ended early; the message says what to do. What was committed stays."""


@dataclass
class Counts:
    """Rows of a file: read = loaded + updated + already_there + rejected."""

    read: int = 0
    loaded: int = 0
    updated: int = 0
    already_there: int = 0
    archived: int = 0  # of those already there
    rejected: int = 0
    ignored_columns: set[str] = field(default_factory=set)


@dataclass
class Chunk:
    rows: list[Row] = field(default_factory=list)
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    characters: int = 0

    def is_full(self) -> bool:
        rows = len(self.rows) + len(self.rejected)
        return rows >= CHUNK_ROWS or self.characters >= CHUNK_CHARACTERS


def import_calls(
    *,
    source: Source,
    rejects: RejectsFile,
    counts: Counts,
    local: tzinfo = UTC,
    dry_run: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Load every call of the source that can be; the others go to rejects with the reason.

    counts grows with each chunk that is committed, after which progress is called. Times that
    name no zone are in `local`. A dry run does everything and rolls it back. Raises
    UnreadableFile where the file cannot be read on, and ImportFailed.
    """
    try:
        with all_tenants(f"import_calls {source.name!r}"), closing(SeenCalls()) as seen:
            reader = RowReader(
                lines=Lines(PhoneNumber.objects.values_list("id", "number")),
                times=TimeReader(now=datetime.now(UTC), local=local),
            )
            for chunk in _one_ahead(_chunks(source.records, reader, seen)):
                rejected = chunk.rejected + _load(chunk.rows, counts, dry_run=dry_run)
                for row, call_sid, reason in sorted(rejected):
                    rejects.add(row, call_sid, reason)
                counts.read += len(chunk.rows) + len(chunk.rejected)
                counts.rejected += len(rejected)
                counts.ignored_columns = reader.unknown_columns
                progress()
    except (django.db.Error, psycopg.Error) as error:
        reason = str(error).partition("\n")[0]  # the lines below may quote a row
        raise ImportFailed(
            f"PostgreSQL: {reason}. The rows counted are in; run the import again"
        ) from None


def _one_ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Reads the next chunk while PostgreSQL works on this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, chunks, None)
        while chunk := coming.result():
            coming = thread.submit(next, chunks, None)
            yield chunk


def _chunks(records: Records, reader: RowReader, seen: "SeenCalls") -> Iterator[Chunk]:
    chunk = Chunk()
    try:
        for number, record in records:
            try:
                row = reader.read(number, record)
            except Rejected as reason:
                chunk.rejected.append((number, call_sid_of(record), str(reason)))
            else:
                chunk.rows.append(row)
                chunk.characters += row.characters()
            if chunk.is_full():
                yield _without_repeated(chunk, seen)
                chunk = Chunk()
    except UnreadableFile:
        yield _without_repeated(chunk, seen)
        raise
    yield _without_repeated(chunk, seen)


def _without_repeated(chunk: Chunk, seen: "SeenCalls") -> Chunk:
    """The chunk, with the calls that came earlier in the file among the rejected."""
    met = seen.add([row.call_sid for row in chunk.rows])
    if any(met):
        reason = "this call SID came earlier in the file, and that row counts; leave one out"
        repeated = [row for row, again in zip(chunk.rows, met, strict=True) if again]
        chunk.rejected += [(row.row, row.call_sid, reason) for row in repeated]
        chunk.rows = [row for row, again in zip(chunk.rows, met, strict=True) if not again]
    return chunk


class SeenCalls:
    """The call SIDs met so far: 64-bit hashes in a temporary file, so that memory stays flat.

    In a file of a million calls two share a hash with a probability of 1 in 37 million; the
    second of them is reported as repeated.
    """

    def __init__(self) -> None:
        # Made in one thread and used in another, never in both at once.
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA cache_size = -16000")  # 16 MB
        self._file.execute("CREATE TABLE seen (hash INTEGER PRIMARY KEY)")

    def add(self, call_sids: list[str]) -> list[bool]:
        """For each SID whether it was met before, in this list or an earlier one."""
        insert = "INSERT OR IGNORE INTO seen VALUES (?)"
        hashes = [(hash(call_sid),) for call_sid in call_sids]
        self._file.execute("BEGIN")
        if self._file.executemany(insert, sorted(hashes)).rowcount == len(hashes):
            self._file.execute("COMMIT")
            return [False] * len(hashes)
        self._file.execute("ROLLBACK")
        return [self._file.execute(insert, row).rowcount == 0 for row in hashes]

    def close(self) -> None:
        self._file.close()


def _load(rows: list[Row], counts: Counts, *, dry_run: bool) -> list[tuple[int, str, str]]:
    """One transaction. Returns what only the database could reject."""
    if not rows:
        return []
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
            changed |= {row for (row,) in cursor.fetchall()}
        cursor.execute(FORGET_ARCHIVED)
        archived = cursor.rowcount
        cursor.execute(INSERT_NEW)
        loaded = cursor.rowcount
        if any(row.has_metadata() for row in rows):
            cursor.execute(INSERT_METADATA)
            changed |= {row for (row,) in cursor.fetchall()}
        cursor.execute(DROP_INCOMING)
        transaction.set_rollback(dry_run)
    updated = len(changed & {row for row, _, is_same_line in existing if is_same_line})
    reason = "this call SID is there under another line; correct the number of the line"
    rejected = [
        (row, call_sid, reason) for row, call_sid, is_same_line in existing if not is_same_line
    ]
    counts.loaded += loaded
    counts.updated += updated
    counts.archived += archived
    counts.already_there += len(rows) - loaded - updated - len(rejected)
    return rejected
