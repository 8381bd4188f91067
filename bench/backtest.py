"""A backtest of 100,000 calls of one line, of which a quarter is in the archive.

    python -m bench.backtest

The line has the hours and the 20 rules of bench.decide. Each call has a transcript of six turns
and metadata with intent, language and sentiment. No other product does this, so it is measured
against the contract's 5 s. Memory is what Python held at most beyond what it held before.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.database import as_superuser
from bench.decide import document
from bench.rows import Row

LINE = "pn_backtest"
CALLS = 100_000
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=300)
MAX_SECONDS = 5
FILL = f"""
INSERT INTO phone_numbers (id, number, business_name, timezone)
VALUES ('{LINE}', '+493012345670', 'Backtest', 'Europe/Berlin');
SELECT app.create_archive_partitions('2026-01-01Z', '2026-10-28Z');
CREATE TEMPORARY TABLE made AS
SELECT n, md5('backtest' || n)::uuid AS id, '+49301' || (1000000 + n * 7919 % 40000) AS caller,
    timestamptz '2026-01-01Z' + n * interval '259 s' AS at,
    jsonb_build_object(
        'intent', (ARRAY['book', 'reschedule', 'question', 'complaint', 'cancel'])[1 + n % 5],
        'language', (ARRAY['de-DE', 'en-US', 'fr-FR'])[1 + n % 3],
        'sentiment', (ARRAY['positive', 'neutral', 'negative'])[1 + n % 3],
        'answer_ms', n) AS metadata,
    format(E'AI: Good morning, how can I help?\\nCaller: I need an appointment, number %s.\\n'
        'AI: On Tuesday at ten?\\nCaller: Tuesday is fine, thank you.\\nAI: Anything else?\\n'
        'Caller: No, that is all. Goodbye.', n) AS transcript
FROM generate_series(1, {CALLS}) AS n;
INSERT INTO calls (id, phone_id, caller_number, call_sid, status, transcript, created_at)
SELECT id, '{LINE}', caller, 'CAb' || n, 'completed', transcript, at FROM made WHERE n % 4 > 0;
INSERT INTO call_metadata (call_id, phone_id, metadata)
SELECT id, '{LINE}', metadata FROM made WHERE n % 4 > 0;
INSERT INTO calls_archive
    (id, phone_id, caller_number, call_sid, status, transcript, created_at, metadata)
SELECT id, '{LINE}', caller, 'CAb' || n, 'completed', transcript, at, metadata
FROM made WHERE n % 4 = 0;
"""
FILLED = ("calls", "call_metadata", "calls_archive")
Document = dict[str, Any]


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, which gets a line of its own."""
    set_up_django()
    with as_superuser() as server:
        for table in FILLED:
            server.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        server.execute(FILL)
        for table in FILLED:
            server.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        server.execute("VACUUM ANALYZE")
    for work, before, after in drafts():
        yield measured(work, before, after)


def drafts() -> Iterator[tuple[str, Document, Document]]:
    before = document() | {"transfer_places": {}}
    rules = before["conversation_rules"]
    yield "one routing rule more", before, with_rules(before, [*rules, new_rule(intent=["book"])])
    earlier = [row | {"close_time": "16:00:00"} for row in before["business_hours_intervals"]]
    yield "an hour less in the evening", before, before | {"business_hours_intervals": earlier}
    asked = new_rule(first_time_caller=True, keywords=["goodbye"])
    yield "a rule about new callers and their words", before, with_rules(before, [*rules, asked])
    turned = [row | {"priority": -row["priority"]} for row in rules]
    yield "all rules in the opposite order", before, with_rules(before, turned)


def with_rules(before: Document, rules: list[Document]) -> Document:
    return before | {"conversation_rules": rules}


def new_rule(**conditions: Any) -> Document:
    [rule] = [row for row in document()["conversation_rules"] if row["priority"] == -1]
    changed: Document = rule | {
        "id": "00000000-0000-0000-0000-000000000001",
        "conditions": conditions,
        "priority": 1,
    }
    return changed


def measured(work: str, before: Document, after: Document) -> Row:
    def run() -> Any:
        from decisions.backtest import backtest
        from decisions.comparison import Comparison
        from decisions.past_facts import past_calls
        from tenancy import tenant

        comparison = Comparison(before, after)
        with tenant(LINE):
            calls = past_calls(LINE, since=SINCE, until=UNTIL, facts=comparison.facts)
            return backtest(comparison, calls).counts

    began = time.perf_counter()
    counts = run()
    seconds = time.perf_counter() - began
    if counts.total != CALLS:
        raise SystemExit(f"{counts.total:,} calls were compared, there are {CALLS:,}")
    return Row(
        work=f"backtest of {CALLS:,} calls: {work}",
        peer="the contract",
        ours=f"{seconds:.2f} s",
        theirs=f"{MAX_SECONDS} s",
        ratio=MAX_SECONDS / seconds,
        target=">= 1",
        note=f"{counts}; {peak_memory(run) / 1e6:.1f} MB",
    )


def peak_memory(run: Callable[[], object]) -> int:
    """Bytes that Python's allocators held at most; the run takes several times as long."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    run_alone("backtest", rows, __doc__)
