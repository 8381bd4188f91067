"""archive_calls beside the schema document's one statement, on the same calls.

    python -m bench.archive_rate [--calls 50000]

A quarter of the calls is older than a year. Ours moves each of them with its metadata, tags and
custom fields, in batches that a kill leaves whole, and keeps its SID taken; the statement loses
the metadata to the cascade. Each has fresh copies of the database, by turns. Seconds are those of
the statement and, for ours, of the run in its ledger. bench.archive has more about batches.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from bench.alone import run_alone
from bench.archive import DOCUMENT
from bench.database import connect, environment, scratch_database
from bench.rows import Row
from bench.timing import median_ratio
from replytics.embedded import ROOT, SUPERUSER

ROUNDS = 2
LEDGER = """
SELECT sum(calls) / extract(epoch FROM max(ended_at) - min(started_at)) FROM archive_runs
"""


def rows(calls: int) -> Iterator[Row]:
    """On the database of the environment, which is copied: nobody may be connected to it."""
    template = os.environ["DATABASE_URL"].rpartition("/")[2]
    ways: dict[str, Callable[[str], float]] = {"ours": ours, "document": document}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for name in list(ways)[:: 1 if turn % 2 else -1]:
            with scratch_database("bench_archive_run", template=template) as database:
                rates[name].append(ways[name](database))
    yield Row(
        work=f"archive of some {calls // 4:,} calls",
        peer="document's statement",
        ours=", ".join(f"{rate:,.0f}" for rate in rates["ours"]) + " calls/s",
        theirs=", ".join(f"{rate:,.0f}" for rate in rates["document"]) + " calls/s",
        ratio=median_ratio(rates["ours"], rates["document"]),
        target=">= 2",
        note="every run of each; the statement keeps no metadata",
    )


def ours(database: str) -> float:
    """Calls a second."""
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "archive_calls"],
        env=os.environ | environment(database),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with connect(SUPERUSER, database) as server:
        row = server.execute(LEDGER).fetchone()
    assert row is not None
    return float(str(row[0]))


def document(database: str) -> float:
    """Calls a second."""
    with connect(SUPERUSER, database) as server:
        server.execute("CREATE TABLE document_archive (LIKE calls INCLUDING ALL)")
        begun = time.perf_counter()
        moved = server.execute(DOCUMENT.format(archive="document_archive")).rowcount
        return moved / (time.perf_counter() - begun)


if __name__ == "__main__":
    run_alone("archive_rate", rows, __doc__)
