"""Calls a second of import_calls beside a bare COPY of the same ones into the same table.

    python -m bench.import_rate [--calls 50000]

Half as many calls as are in the database already are imported; at most a million. The bare COPY
is the superuser's, whom row level security lets through; it goes into the table with all its
indexes, constraints and triggers, like the import. The import is timed as a process, from start to
exit. They take turns; after each the calls that it brought are deleted.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.alone import run_alone
from bench.data import LINES, NUMBER
from bench.database import as_superuser
from bench.rows import Row
from bench.timing import median_ratio
from local.embedded import ROOT

COLUMNS = (
    "phone_id, caller_number, call_sid, status, provider_status, duration, recording_url,"
    " transcript, ai_summary, ai_confidence, created_at"
)
ROUNDS = 2
MAX_CALLS = 1_000_000
IMPORTED = "starts_with(call_sid, 'CAi')"


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, which has more calls for a while."""
    count = min(calls // 2, MAX_CALLS)
    imported, copied = [], []
    with as_superuser() as admin, tempfile.TemporaryDirectory() as directory:
        given, plain = Path(directory, "calls.json"), Path(directory, "calls.copy")
        write_calls(given, count)
        for _ in range(ROUNDS):
            imported.append(_timed_import(given))
            _save(admin, plain)
            digest = _digest(admin)
            _remove(admin)
            copied.append(_timed_copy(admin, plain))
            if not digest == _digest(admin) == (count, digest[1]):
                raise SystemExit("import_calls and COPY left different rows behind")
            _remove(admin)
    yield Row(
        work=f"import of {count:,} calls",
        peer="bare COPY",
        ours=f"{count / statistics.median(imported):,.0f} calls/s",
        theirs=f"{count / statistics.median(copied):,.0f} calls/s",
        ratio=median_ratio(copied, imported),
        target=">= 0.5",
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield Row(work="memory of import_calls", peer="", ours=f"{peak:.0f} MB at most")


def _remove(admin: "psycopg.Connection[Any]") -> None:
    """Without triggers, which would ask each table that may refer to them."""
    admin.execute("SET session_replication_role = replica")
    admin.execute(
        f"DELETE FROM imported_states WHERE call_id IN (SELECT id FROM calls WHERE {IMPORTED})"
    )
    admin.execute(f"DELETE FROM calls WHERE {IMPORTED}")
    admin.execute("RESET session_replication_role")
    admin.execute("VACUUM ANALYZE calls")
    admin.execute("CHECKPOINT")


def write_calls(path: Path, rows: int) -> None:
    """A page of Twilio's Calls list resource, newest first, with as much in it as a real one."""
    dice = random.Random(7)  # noqa: S311 (made-up calls)
    words = ["completed"] * 16 + ["busy", "no-answer", "no-answer", "canceled"]
    began = datetime.now(UTC)
    with path.open("w") as file:
        file.write('{"page": 0, "calls": [')
        for n in range(rows):
            sid = f"CAi{dice.getrandbits(124):031x}"
            caller, line = (
                f"+1{dice.randrange(2_000_000_000, 9_999_999_999)}",
                dice.randrange(LINES),
            )
            word = dice.choice(words)
            began -= timedelta(seconds=dice.randrange(60))
            uri = f"/2010-04-01/Accounts/AC00000000000000000000000000000000/Calls/{sid}"
            call = {
                "account_sid": "AC00000000000000000000000000000000",
                "answered_by": None,
                "api_version": "2010-04-01",
                "caller_name": "",
                "date_created": format_datetime(began),
                "date_updated": format_datetime(began + timedelta(minutes=2)),
                "direction": "inbound",
                "duration": str(dice.randrange(600)) if word == "completed" else "0",
                "end_time": format_datetime(began + timedelta(minutes=2)),
                "forwarded_from": None,
                "from": caller,
                "from_formatted": caller,
                "parent_call_sid": None,
                "phone_number_sid": "PN00000000000000000000000000000000",
                "price": "-0.00850",
                "price_unit": "USD",
                "sid": sid,
                "start_time": format_datetime(began),
                "status": word,
                "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
                "to": NUMBER.format(5_550_000 + line),
                "to_formatted": f"(415) 555-{line:04}",
                "uri": f"{uri}.json",
            }
            file.write(("," if n else "") + json.dumps(call))
        file.write("]}")


def _timed_import(path: Path) -> float:
    command = [sys.executable, str(ROOT / "manage.py"), "import_calls", str(path)]
    begin = time.perf_counter()
    subprocess.run(command, env=os.environ, check=True)
    return time.perf_counter() - begin


def _save(admin: "psycopg.Connection[Any]", path: Path) -> None:
    export = f"COPY (SELECT {COLUMNS} FROM calls WHERE {IMPORTED}) TO STDOUT"
    with path.open("wb") as file, admin.cursor() as cursor, cursor.copy(export) as copy:
        file.writelines(copy)


def _timed_copy(admin: "psycopg.Connection[Any]", path: Path) -> float:
    load = f"COPY calls ({COLUMNS}) FROM STDIN"
    begin = time.perf_counter()
    with path.open("rb") as file, admin.cursor() as cursor, cursor.copy(load) as copy:
        while piece := file.read(1024 * 1024):
            copy.write(piece)
    return time.perf_counter() - begin


def _digest(admin: "psycopg.Connection[Any]") -> tuple[int, int]:
    """How many calls were brought, and a sum that differs when any of them does."""
    row = admin.execute(
        "SELECT count(*), coalesce(sum(hashtextextended(concat_ws('|', "
        f"{COLUMNS}), 0)::numeric), 0) FROM calls WHERE {IMPORTED}"
    ).fetchone()
    assert row is not None
    count, digest = row
    return int(count), int(digest)


if __name__ == "__main__":
    run_alone("import_rate", rows, __doc__)
