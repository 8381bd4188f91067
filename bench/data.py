"""The calls that every benchmark reads: 1,000 lines, a few of them big and most of them small.

Of 200,000 calls the biggest line has some 36,000, the middle one 35, and a quarter of them is more
than a year old. Each call has metadata, tags, custom fields, a transcript and a summary, whose
words are 30,000 different ones, the early ones far more often than the late.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from bench.database import connect, manage, scratch_database
from local.embedded import SUPERUSER

LINES = 1_000
BATCH = 50_000
PHONE_ID, NUMBER = "pn_{}", "+1415{}"  # of line 0, the biggest, to 999, the smallest

PREPARE = """
SELECT setseed(0.42);
INSERT INTO phone_numbers (id, number, business_name)
SELECT 'pn_' || n, '+1415' || (5550000 + n), 'Business ' || n FROM generate_series(0, 999) AS n;
"""
# Sentences of 12 words.
SENTENCES = """
SELECT setseed(0.42);
CREATE TEMPORARY TABLE sentences AS
SELECT n, string_agg('w' || floor(power(random(), 3) * 30000)::int, ' ') AS said
FROM generate_series(0, 39999) AS n, generate_series(1, 12) GROUP BY n;
CREATE INDEX ON sentences (n);
ANALYZE sentences
"""
FILL_CALLS = """
INSERT INTO calls (id, phone_id, caller_number, call_sid, status, duration, transcript, ai_summary,
                   created_at, updated_at)
SELECT md5(call.n::text)::uuid, 'pn_' || floor(power(random(), 4) * 1000)::int,
       '+1' || (2000000000 + floor(random() * 8000000000)::bigint),
       'CA' || lpad(to_hex(call.n), 32, '0'),
       (ARRAY['completed', 'completed', 'completed', 'completed', 'failed'])[1 + call.n %% 5],
       floor(random() * 600), concat_ws('. ', a.said, b.said, c.said, d.said), e.said, at, at
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS call (n)
CROSS JOIN LATERAL (
    SELECT (call.n + random()) / %(calls)s AS passed
) AS share
CROSS JOIN LATERAL (
    SELECT date_trunc('hour', now()) - interval '5 minutes'
        - CASE WHEN passed < 0.25 THEN interval '366 days' + (1 - 4 * passed) * interval '730 days'
            ELSE (1 - passed) / 0.75 * interval '364 days' END AS at
) AS clock
JOIN sentences a ON a.n = call.n * 7919 %% 40000
JOIN sentences b ON b.n = (call.n * 104729 + call.n / 40000) %% 40000
JOIN sentences c ON c.n = (call.n * 1299709 + call.n / 777) %% 40000
JOIN sentences d ON d.n = (call.n * 15485863 + call.n / 333) %% 40000
JOIN sentences e ON e.n = (call.n * 32452843 + call.n / 99) %% 40000
"""
FILL_METADATA = """
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields)
SELECT c.id, c.phone_id, jsonb_build_object('source', 'web', 'campaign', n %% 500),
       array_remove(ARRAY[
           CASE WHEN n %% 5 < 2 THEN 'returning' END, CASE WHEN n %% 50 = 7 THEN 'vip' END,
           CASE WHEN n %% 2000 = 7 THEN 'complaint' END, 'topic' || n %% 40], NULL),
       jsonb_build_object('ticket', n %% 10000)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
JOIN calls c ON c.id = md5(n::text)::uuid
"""
FILL_WORDS = """
INSERT INTO call_search (call_id, phone_id, document)
SELECT c.id, c.phone_id, app.call_document(c.transcript, c.ai_summary)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
JOIN calls c ON c.id = md5(n::text)::uuid
"""
QUEUE = """
INSERT INTO rollup_queue (phone_id, bucket)
SELECT DISTINCT phone_id, date_trunc('hour', created_at, 'UTC') FROM calls
"""
# Built once at the end, which takes a fraction of keeping them during the load.
LATE_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY (%(tables)s::regclass[]) AND NOT indisunique
"""
TABLES = ("calls", "call_metadata", "call_search")


@contextmanager
def indexed_at_the_end(
    connection: "psycopg.Connection[tuple[object, ...]]", *tables: str
) -> Iterator[None]:
    """The tables have only their unique indexes inside the block."""
    late = connection.execute(LATE_INDEXES, {"tables": list(tables)}).fetchall()
    for name, _ in late:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, definition in late:
        connection.execute(str(definition))


def fill(
    database: str, calls: int, *, first: int = 0, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Put calls number `first` to `calls` into a migrated database; the lines when first is 0."""
    with connect(SUPERUSER, database) as connection:
        with indexed_at_the_end(connection, *TABLES):
            for table in TABLES:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            if first == 0:
                connection.execute(PREPARE)
            connection.execute(SENTENCES)
            for begin in range(first, calls, BATCH):
                batch = {"first": begin, "last": min(begin + BATCH, calls) - 1}
                for statement in (FILL_CALLS, FILL_METADATA, FILL_WORDS):
                    connection.execute(statement, batch | {"calls": calls})
                progress(batch["last"] + 1)
            for table in TABLES:
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        connection.execute(QUEUE)
        connection.execute("VACUUM ANALYZE")


@contextmanager
def filled_database(name: str, calls: int) -> Iterator[str]:
    """A database with so many calls, all of them rolled up, which is dropped afterwards."""
    with scratch_database(name) as database:
        fill(database, calls)
        manage(database, "roll_up_calls")
        yield database
