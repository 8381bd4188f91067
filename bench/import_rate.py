"""Rows per second of import_calls beside a bare COPY of the same rows into the same table.

python -m bench.import_rate --rows 1000000

Works in a database of its own on the embedded cluster, which it makes and drops. The bare COPY is
the superuser's, whom row level security lets through; it goes into the table with all its indexes
and constraints, like the import. The import is timed as a process, from start to exit.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import psycopg
from psycopg import sql

from replytics.embedded import MAIN, OWNER_LOGIN, ROOT, SERVING_LOGIN, SUPERUSER

DATABASE = f"replytics_import_rate_{os.getpid()}"
LINES = 200
COLUMNS = (
    "phone_id, caller_number, call_sid, status, provider_status, duration, recording_url,"
    " transcript, ai_summary, ai_confidence, created_at"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.import_rate", description="import_calls beside a bare COPY."
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3, help="of each; the best one counts")
    options = parser.parse_args()
    with _cluster(), _scratch_database() as admin, tempfile.TemporaryDirectory() as directory:
        calls, plain = Path(directory, "calls.json"), Path(directory, "calls.copy")
        _write_calls(calls, options.rows)
        _manage("migrate", "-v0")
        _make_lines(admin)
        imported, copied = [], []
        for _ in range(options.rounds):
            _empty(admin)
            imported.append(_timed_import(calls))
            _save(admin, plain)
            digest = _digest(admin)
            _empty(admin)
            copied.append(_timed_copy(admin, plain))
            if not digest == _digest(admin) == (options.rows, digest[1]):
                sys.exit("import_calls and COPY left different rows behind")
    for name, seconds in (("import_calls", imported), ("bare COPY", copied)):
        print(f"{name}: {options.rows / min(seconds):,.0f} rows/s, best of", end=" ")
        print(", ".join(f"{second:.1f}" for second in seconds), "s")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"memory of import_calls: {peak:.0f} MB at most")
    print(f"ratio {min(copied) / min(imported):.2f} (as fast as the bare COPY: 1; aim: 0.5)")


@contextmanager
def _cluster() -> Iterator[None]:
    started = MAIN.start()
    try:
        yield
    finally:
        if started:
            MAIN.stop()


@contextmanager
def _scratch_database() -> Iterator[psycopg.Connection]:
    """A database for the schema; the superuser's connection to it."""
    maintenance = MAIN.url(SUPERUSER, "postgres")
    assert maintenance is not None
    name = sql.Identifier(DATABASE)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        owner = sql.Identifier(OWNER_LOGIN)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
        try:
            scratch = MAIN.url(SUPERUSER, DATABASE)
            assert scratch is not None
            with psycopg.connect(scratch, autocommit=True) as admin:
                yield admin
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _manage(*arguments: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": MAIN.url(SERVING_LOGIN, DATABASE) or "",
        "OWNER_DATABASE_URL": MAIN.url(OWNER_LOGIN, DATABASE) or "",
    }
    environment.setdefault("SECRET_KEY", "for a benchmark alone")
    subprocess.run([sys.executable, ROOT / "manage.py", *arguments], env=environment, check=True)


def _make_lines(admin: psycopg.Connection) -> None:
    admin.execute(
        "INSERT INTO phone_numbers (id, number, business_name)"
        " SELECT 'pn_' || n, '+1415555' || to_char(n, 'FM0000'), 'Business ' || n"
        " FROM generate_series(0, %s) AS n",
        [LINES - 1],
    )


def _empty(admin: psycopg.Connection) -> None:
    admin.execute("TRUNCATE calls CASCADE")
    admin.execute("CHECKPOINT")


def _write_calls(path: Path, rows: int) -> None:
    """A page of Twilio's Calls list resource, newest first, with as much in it as a real one."""
    dice = random.Random(7)  # noqa: S311 (made-up calls)
    words = ["completed"] * 16 + ["busy", "no-answer", "no-answer", "canceled"]
    began = datetime(2026, 6, 1, tzinfo=UTC)
    with path.open("w") as file:
        file.write('{"page": 0, "calls": [')
        for n in range(rows):
            sid = f"CA{dice.getrandbits(128):032x}"
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
                "to": f"+1415555{line:04}",
                "to_formatted": f"(415) 555-{line:04}",
                "uri": f"{uri}.json",
            }
            file.write(("," if n else "") + json.dumps(call))
        file.write("]}")


def _timed_import(path: Path) -> float:
    begin = time.perf_counter()
    _manage("import_calls", str(path))
    return time.perf_counter() - begin


def _save(admin: psycopg.Connection, path: Path) -> None:
    export = f"COPY calls ({COLUMNS}) TO STDOUT"
    with path.open("wb") as file, admin.cursor() as cursor, cursor.copy(export) as copy:
        file.writelines(copy)


def _timed_copy(admin: psycopg.Connection, path: Path) -> float:
    load = f"COPY calls ({COLUMNS}) FROM STDIN"
    begin = time.perf_counter()
    with path.open("rb") as file, admin.cursor() as cursor, cursor.copy(load) as copy:
        while piece := file.read(1024 * 1024):
            copy.write(piece)
    return time.perf_counter() - begin


def _digest(admin: psycopg.Connection) -> tuple[int, int]:
    """How many calls there are, and a sum that differs when any of them does."""
    row = admin.execute(
        "SELECT count(*),"
        f" coalesce(sum(hashtextextended(concat_ws('|', {COLUMNS}), 0)::numeric), 0) FROM calls"
    ).fetchone()
    assert row is not None
    return row


if __name__ == "__main__":
    main()
