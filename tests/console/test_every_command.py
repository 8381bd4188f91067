"""Every command: nonsense and a read-only database are one line and a code, Ctrl-C is 130."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from time import monotonic, sleep

import pytest
from django.core.management import get_commands
from django.db import DatabaseError, connections, transaction
from pytest_django import Settings

from console.command_line import explain, main
from local.embedded import ROOT
from tenancy import all_tenants
from tests.calls.archive import command
from tests.calls.call_files import page, twilio_call
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.factories import archive, make_call, make_line

pytestmark = pytest.mark.usefixtures("committed")
NOWHERE = "/nowhere/at/all"
# What each of our commands is refused with, and a part of the reason. {tmp} is an empty directory.
NONSENSE: dict[str, list[tuple[str, str]]] = {
    "archive_calls": [
        ("--older-than=banana", "is not a period"),
        ("--older-than=", "is not a period"),
        ("--before=2050-01-01", "is in the future"),
        ("--before=banana", "is not a time"),
        ("--before=0001-01-01T00:00+14:00", "outside the years 1 to 9999"),
        ("--phone-id=", 'Line "" not found'),
        ("--phone-id=pn_nobody", 'Line "pn_nobody" not found'),
        ("--phone-id=\udcff", "not UTF-8"),
        ("--batch-size=0", "is not a whole number"),
    ],
    "check_lines": [("banana", "unrecognized arguments")],
    "create_api_key": [
        ("pn_nobody --name=x --scope=read", "Line not found"),
        (" --name=x --scope=read", "Line not found"),
        ("+4930 --name=x --scope=read", "Line not found"),
        ("pn_line --name=\udcff --scope=read", "not UTF-8"),
        ("\udcff --name=x --scope=read", "not UTF-8"),
        ("pn_line --name= --scope=read", "--name: the value is empty"),
        ("pn_line --name=x --scope=all", "invalid choice"),
        ("pn_line --name=x --scope=read --days=0", "is not a whole number"),
    ],
    "create_roles": [
        ("--url=banana", "banana"),
        ("--url=postgres://x@127.0.0.1:1/x", "connection"),
        ("--url=", "--url or ADMIN_DATABASE_URL"),
    ],
    "database_report": [("--statements=banana", "invalid choice"), ("--fail-on=ok", "invalid")],
    "dbshell": [("--database=banana", "invalid choice")],
    "drop_archive": [
        ("--older-than=banana --directory={tmp}", "is not a period"),
        (f"--older-than=1year --directory={NOWHERE}", "is not a directory"),
        ("--older-than=7 years --directory=", "the value is empty"),
    ],
    "end_stuck_calls": [("--after=1", "is not a whole number"), ("--after=soon", "whole number")],
    "import_calls": [
        (NOWHERE, NOWHERE),
        ("", "the value is empty"),
        ("{tmp}", "Is a directory"),
        (f"{NOWHERE} --timezone=Mars", "is not an IANA time zone"),
        (f"{NOWHERE} --format=banana", "invalid choice"),
    ],
    "learn_usual_calls": [("banana", "unrecognized arguments")],
    "lint_migrations": [("banana", 'No app "banana"'), ("", 'No app ""')],
    "load_archive": [
        (NOWHERE, "No such file"),
        ("", "the value is empty"),
        ("{tmp}", "directory"),
    ],
    "migrate": [
        ("banana", "banana"),
        ("calls 9999", "9999"),
        ("--lock-timeout=0", "give seconds"),
        ("--database=banana", "invalid choice"),
    ],
    "permission_table": [("banana", "unrecognized arguments")],
    "plan_migrations": [("banana", 'No app "banana"'), ("", 'No app ""')],
    "prune_events": [("--days=0", "is not a whole number"), ("--days=soon", "whole number")],
    "reconcile_calls": [
        (NOWHERE, NOWHERE),
        ("", "the value is empty"),
        ("--from-twilio", "TWILIO"),
        ("--from-twilio --days=0", "is not a whole number"),
    ],
    "record_backup": [
        ("--label=", "the value is empty"),
        ("--label=\udcff", "not UTF-8"),
        ("--label=x --error=\udcff", "not UTF-8"),
        (f"--path={NOWHERE}", "No such file"),
        ("--label=x --finished-at=2050-01-01", "in the future"),
    ],
    "refresh_summary": [("banana", "unrecognized arguments")],
    "replay_events": [
        ("0", "is not a whole number"),
        ("999999999", "ids were not found"),
        (f"{10**40}", "is not a whole number"),
        ("--limit=0", "is not a whole number"),
    ],
    "restore_calls": [
        ("--call-sid=banana", 'No call has the SID "banana"'),
        ("--call-sid=banana --dry-run", 'No call has the SID "banana"'),
        ("--call-sid=", "Give either"),
        ("--call-sid=\udcff", "not UTF-8"),
        ("--phone-id=pn_nobody --from=2020-01-01 --to=2021-01-01", "not found"),
        ("--phone-id=pn_line --from=2021-01-01 --to=2020-01-01", "must be before"),
    ],
    "roll_up_calls": [
        ("--phone-id=pn_nobody", 'Line "pn_nobody" not found'),
        ("--phone-id=", 'Line "" not found'),
        ("--since=2020-01-01", "require --rebuild"),
        ("--batch-hours=0", "is not a whole number"),
    ],
    "rotate_telephony_keys": [("banana", "unrecognized arguments")],
    "seed_demo": [
        ("--lines=0", "--lines must be"),
        (f"--calls={10**30}", "--calls must be"),
        ("--until=banana", "is not a time"),
        ("--until=2050-01-01", "Invalid --until"),
        ("", "already has 1 line"),
    ],
    "verify_stats": [("--sample=0", "is not a whole number")],
}
# What the database must let the others write, by which they fail where it is read-only.
WRITES = {
    "archive_calls": "--older-than=1 year",
    "check_lines": "",
    "create_api_key": "pn_line --name=x --scope=read",
    "drop_archive": "--older-than=1 year --directory={tmp}",
    "end_stuck_calls": "",
    "import_calls": "{tmp}/calls.json",
    "learn_usual_calls": "",
    "load_archive": "{tmp}/calls_archive_2020_01.csv.gz",
    "prune_events": "",
    "reconcile_calls": "{tmp}/calls.json",
    "record_backup": "--path={tmp}/calls.json",
    "refresh_summary": "",
    "replay_events": "",
    "restore_calls": "--call-sid={archived}",
    "roll_up_calls": "",
    "seed_demo": "--append",
    "verify_stats": "",
}
# Those that only read, or that need no database; migrate has nothing to do here.
READS = {
    *{"database_report", "dbshell", "lint_migrations", "migrate", "permission_table"},
    *{"plan_migrations", "create_roles", "rotate_telephony_keys"},
}


def ours() -> set[str]:
    """The names of the commands in this tree."""
    files = (path for room in ROOT.iterdir() for path in room.glob("management/commands/*.py"))
    return {path.stem for path in files if path.stem != "__init__"}


def split(line: str) -> list[str]:
    """Arguments; one that begins a line with a space is empty."""
    if line.startswith(" ") or not line:
        return ["", *line.split()] if line else []
    words: list[str] = []
    for word in line.split(" "):
        if words and not word.startswith(("-", "+")) and words[-1].startswith("--"):
            words[-1] += f" {word}"  # --older-than=7 years
        else:
            words.append(word)
    return words


def run(capsys: pytest.CaptureFixture[str], name: str, arguments: list[str]) -> tuple[int, str]:
    """The exit code and what went to standard error."""
    capsys.readouterr()
    try:
        main(["manage.py", name, *arguments])
    except SystemExit as ended:
        errors = capsys.readouterr().err
        if isinstance(ended.code, str):
            return 1, errors + ended.code
        return ended.code or 0, errors
    return 0, capsys.readouterr().err


def refusals(errors: str) -> list[str]:
    """The lines in which a command refuses, without the log lines around them."""
    starts = ("CommandError: ", "Database: ", "manage.py ")
    return [found for found in errors.splitlines() if found.startswith(starts)]


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(""))
    monkeypatch.delenv("ADMIN_DATABASE_URL", raising=False)


def test_every_command_is_tried() -> None:
    assert ours() <= set(get_commands())
    assert ours() == set(NONSENSE) == set(WRITES) | READS


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [(name, line, reason) for name, tried in NONSENSE.items() for line, reason in tried],
)
def test_nonsense_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, line: str, reason: str
) -> None:
    make_line(id="pn_line")
    empty_name = name in {"import_calls", "reconcile_calls", "load_archive"} or "No app" in reason
    arguments = [""] if not line and empty_name else split(line.format(tmp=tmp_path))
    code, errors = run(capsys, name, arguments)
    assert code
    assert reason in errors
    assert "Traceback" not in errors
    [last] = refusals(errors)
    assert last == errors.splitlines()[-1]


@contextmanager
def read_only() -> Iterator[None]:
    """What a standby, or a primary after a failover, is to our logins."""
    name = connections["owner"].settings_dict["NAME"]
    with connections["owner"].cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    connections.close_all()
    try:
        yield
    finally:
        connections.close_all()
        with connections["owner"].cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        connections.close_all()


@pytest.mark.parametrize("name", WRITES)
def test_a_read_only_database_is_one_line(
    capsys: pytest.CaptureFixture[str], settings: Settings, tmp_path: Path, name: str
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    post(voice_event(new_sid(), "completed", To="+14155550999"))  # of no line, to be replayed
    line = make_line(id="pn_line")
    make_call(line, created_at="2020-01-05T00:00:00Z", updated_at="2020-01-05T00:00:00Z")
    make_call(line, status="ringing", created_at="2020-01-05T00:00:00Z")
    archived = make_call(line, created_at="2020-01-05T00:00:00Z")
    archive(archived)
    if name == "load_archive":
        run(capsys, "roll_up_calls", [])
        run(capsys, "drop_archive", ["--older-than=1 year", f"--directory={tmp_path}"])
    (tmp_path / "calls.json").write_text(page(twilio_call(to=line.number)))
    with read_only():
        arguments = WRITES[name].format(tmp=tmp_path, archived=archived.call_sid)
        code, errors = run(capsys, name, split(arguments))
    assert code == 1, errors
    assert "Traceback" not in errors
    assert "CONTEXT" not in errors
    assert len(refusals(errors)) == 1, errors
    assert "read-only" in refusals(errors)[0]


# A statement of ours that fails on a value, which it quotes.
DEFECT = "SELECT 'Ada Lovelace'::integer"
FULL_DISK = "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("calls.archival.moving.SURVEY", "archive_calls"),
        ("calls.archival.restoring.COUNT", "restore_calls --call-sid=CA1"),
        ("calls.intake.imports.upsert.ONE_AT_A_TIME", "import_calls {tmp}/calls.json"),
        ("calls.intake.imports.reconciling.RECONCILE", "reconcile_calls {tmp}/calls.json"),
    ],
)
def test_a_defect_is_a_traceback_without_values(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    place: str,
    line: str,
) -> None:
    monkeypatch.setattr(place, DEFECT)
    (tmp_path / "calls.json").write_text(page(twilio_call(to=make_line().number)))
    name, *arguments = split(line.format(tmp=tmp_path))
    code, errors = run(capsys, name, arguments)
    assert code == 1
    assert "Traceback (most recent call last)" in errors
    assert "22P02 InvalidTextRepresentation" in errors
    assert "again" not in errors
    assert "Lovelace" not in errors


def test_an_unavailable_database_is_one_line_and_to_run_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "calls.json").write_text(page(twilio_call(to=make_line().number)))
    for place, line in {
        "calls.archival.moving.SURVEY": "archive_calls",
        "calls.intake.imports.upsert.ONE_AT_A_TIME": f"import_calls {tmp_path}/calls.json",
    }.items():
        monkeypatch.setattr(place, FULL_DISK)
        name, *arguments = split(line)
        code, errors = run(capsys, name, arguments)
        assert code == 1
        assert "again" in errors
        assert "Traceback" not in errors


INTERRUPTED = {
    "archive_calls": ["--older-than=1 year"],
    "check_lines": [],
    "end_stuck_calls": [],
    "import_calls": ["{tmp}/calls.json"],
    "prune_events": [],
    "reconcile_calls": ["{tmp}/calls.json"],
    "refresh_summary": [],
    "restore_calls": ["--call-sid={archived}"],
    "roll_up_calls": [],
    "seed_demo": ["--append"],
    "verify_stats": [],
}
# One that writes rows of its own accord, one that reads a file, one that computes.
FOR_ALL = {"archive_calls", "import_calls", "roll_up_calls"}
WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE NOT granted AND datname = current_database()
"""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in FOR_ALL else pytest.mark.soak)
        for name in INTERRUPTED
    ],
)
def test_ctrl_c_is_130(tmp_path: Path, name: str) -> None:
    line = make_line(id="pn_line")
    make_call(line, status="ringing", created_at="2020-01-05T00:00:00Z")
    archived = make_call(line, created_at="2020-01-05T00:00:00Z")
    archive(archived)
    (tmp_path / "calls.json").write_text(page(twilio_call(to=line.number)))
    words = [word.format(tmp=tmp_path, archived=archived.call_sid) for word in INTERRUPTED[name]]
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("LOCK TABLE calls, calls_archive, call_events, rollup_queue")
        running = command(name, *words)
        deadline = monotonic() + 60
        waiting = 0
        while not waiting and running.poll() is None and monotonic() < deadline:
            cursor.execute(WAITING)
            [waiting] = cursor.fetchone()
            sleep(0.01)
        assert waiting, running.communicate()[1]
        running.send_signal(signal.SIGINT)
        sleep(0.2)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert len([found for found in errors.splitlines() if "WARNING" not in found]) == 1


@pytest.mark.parametrize("name", ["makemigrations", "migrate", "check"])
def test_settings_that_are_missing_are_one_line(name: str) -> None:
    """Some of Django's own commands begin without settings."""
    done = subprocess.run(
        [sys.executable, "manage.py", name],
        cwd=ROOT,
        env=os.environ | {"SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Settings: SECRET_KEY is not set")


def test_a_refusal_of_our_own_functions_is_its_sentence() -> None:
    with all_tenants("test"), connections["default"].cursor() as cursor:
        with pytest.raises(DatabaseError) as refused:
            cursor.execute("DO $$ BEGIN RAISE 'The month is full.'; END $$")
        with pytest.raises(DatabaseError) as defect:
            cursor.execute("SELECT 1 / 0")
    assert explain(refused.value) == "Database: The month is full."
    assert explain(defect.value) is None
