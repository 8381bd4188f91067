"""import_calls under strain: ended in the middle, two at once, and memory on large files."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from calls.models import Call, CallLeg
from local.embedded import ROOT
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.call_files import BAKERY, everything, import_file, own_call, twilio_call
from tests.factories import make_line

SID = "CA" + "f" * 32

# manage.py, in chunks of so many rows.
IMPORT = """
import sys, django
django.setup()
from django.core.management import execute_from_command_line
from calls.intake.imports import chunks, file_legs
chunks.CHUNK_ROWS = int(sys.argv[2])
file_legs.BATCH_ROWS = 5
execute_from_command_line(["manage.py", "import_calls", sys.argv[1]])
"""
# The most memory that the process had at once, in kB.
PEAK = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("import_calls", sys.argv[1])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.fixture
def bakery(committed: None) -> PhoneNumber:
    return make_line(id="pn_bakery", number=BAKERY)


@pytest.fixture
def chunk_rows(rounds: int) -> int:
    """In full as many as in production."""
    return 1_000 * rounds


def database_url() -> str:
    of = connection.settings_dict
    return f"postgres://{of['USER']}:{of['PASSWORD']}@{of['HOST']}:{of['PORT']}/{of['NAME']}"


def start(*command: str) -> "subprocess.Popen[str]":
    """A Python process of its own on the test database."""
    return subprocess.Popen(
        [sys.executable, *command],
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "replytics.settings",
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_import(path: Path, chunk_rows: int) -> "subprocess.Popen[str]":
    return start("-c", IMPORT, str(path), str(chunk_rows))


@contextmanager
def held_back(sid: str, line: PhoneNumber) -> Iterator[None]:
    """Meanwhile an import of the call `sid` waits: another transaction is inserting it."""
    with psycopg.connect(database_url()) as other:
        other.execute("SET ROLE replytics_staff")
        other.execute(
            "INSERT INTO calls (phone_id, caller_number, status, call_sid) "
            "VALUES (%s, '+14155559999', 'ringing', %s)",
            (line.pk, sid),
        )
        yield
        other.rollback()


def write_calls(path: Path, rows: int, **last: str) -> Path:
    with path.open("w") as file:
        file.write('{"calls": [')
        file.writelines(json.dumps(twilio_call()) + ",\n" for _ in range(rows - 1))
        file.write(json.dumps(twilio_call(**last)) + "]}")
    return path


def count() -> int:
    with all_tenants("test"):
        found: int = Call.objects.count()
    return found


def count_legs() -> int:
    with all_tenants("test"):
        found: int = CallLeg.objects.count()
    return found


def wait_for_the_first_chunk(process: "subprocess.Popen[str]") -> None:
    while process.poll() is None and count() == 0:
        time.sleep(0.02)


@pytest.mark.rounds(1, soak=8)
def test_import_killed_in_the_middle_goes_on_when_run_again(
    bakery: PhoneNumber, tmp_path: Path, chunk_rows: int
) -> None:
    rows = 3 * chunk_rows
    path = tmp_path / "calls.jsonl"
    with path.open("w") as file:
        file.writelines(
            json.dumps(own_call(tags=["a"]) if n % 100 == 0 else own_call()) + "\n"
            for n in range(1, rows)
        )
        file.write(json.dumps(own_call(tags=["a"], call_sid=SID)) + "\n")
    with held_back(SID, bakery):
        process = start_import(path, chunk_rows)
        wait_for_the_first_chunk(process)
        process.kill()
        process.communicate()
    loaded = count()
    assert loaded in range(chunk_rows, rows, chunk_rows), "a chunk is there as a whole or not"
    assert "rejected 0" in import_file(path)
    after = everything()
    assert len(after) == rows + rows // 100
    assert f"loaded 0, updated 0, unchanged {rows}" in import_file(path)
    assert everything() == after


@pytest.mark.rounds(1, soak=8)
def test_import_killed_among_its_legs_goes_on_when_run_again(
    bakery: PhoneNumber,
    tmp_path: Path,
    chunk_rows: int,
    administrator: "psycopg.Connection[Any]",
) -> None:
    calls = [twilio_call() for _ in range(20)]
    legs = [twilio_call(parent_call_sid=call["sid"], to="+14155557777") for call in calls]
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"calls": [*legs, *calls]}))
    held: str = legs[12]["sid"]
    with administrator.transaction(force_rollback=True):
        # The import waits for the transaction that inserts the same leg.
        administrator.execute(
            "INSERT INTO call_legs (phone_id, call_sid, leg_sid, status) VALUES (%s, %s, %s, '-')",
            (bakery.pk, calls[12]["sid"], held),
        )
        process = start_import(path, chunk_rows)
        while process.poll() is None and count_legs() < 10:
            time.sleep(0.02)
        process.kill()
        process.communicate()
    assert count_legs() == 10
    assert "unchanged 20, rejected 0\nlegs of calls: recorded 10, unchanged 10" in import_file(
        path
    )
    assert (count(), count_legs()) == (20, 20)
    assert "legs of calls: recorded 0, unchanged 20" in import_file(path)


@pytest.mark.rounds(1, soak=8)
def test_import_interrupted_says_so_in_one_line(
    bakery: PhoneNumber, tmp_path: Path, chunk_rows: int
) -> None:
    path = write_calls(tmp_path / "calls.json", 3 * chunk_rows, sid=SID)
    with held_back(SID, bakery):
        process = start_import(path, chunk_rows)
        wait_for_the_first_chunk(process)
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate()
    assert process.returncode == 130
    # The chunk whose commit was interrupted does not count.
    assert re.fullmatch(rf"(read \d+, loaded ({chunk_rows}|{2 * chunk_rows}), .*\n)?", printed)
    assert errors.strip() == "CommandError: interrupted; run the import again to continue"


@pytest.mark.rounds(1, soak=8)
def test_import_of_the_same_calls_by_two_at_once(
    bakery: PhoneNumber, tmp_path: Path, chunk_rows: int
) -> None:
    rows = chunk_rows * 5 // 4
    path = write_calls(tmp_path / "calls.json", rows)
    calls = json.loads(path.read_text())["calls"]
    backwards = tmp_path / "backwards.json"
    backwards.write_text(json.dumps(calls[::-1]))
    processes = [start_import(each, chunk_rows) for each in (path, backwards)]
    printed = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    loaded = [int(re.findall(r"loaded (\d+)", out)[0]) for out, _ in printed]
    assert sum(loaded) == count() == rows


@pytest.mark.soak
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_import_memory_does_not_grow_with_the_file(bakery: PhoneNumber, tmp_path: Path) -> None:
    peaks = []
    for rows in (40_000, 160_000):
        process = start("-c", PEAK, str(write_calls(tmp_path / f"{rows}.json", rows)))
        printed, errors = process.communicate()
        assert f"loaded {rows}" in printed, errors
        peaks.append(int(printed.split()[-1]))
    # Held in memory, the rows that the larger file has more would take well over 100 MB.
    assert peaks[1] - peaks[0] < 30_000, peaks
