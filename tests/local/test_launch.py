"""make run's launcher: what it starts, what it refuses, and that it leaves nothing behind."""

import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from local.embedded import ROOT, Cluster, free_port

TIMEOUT = 240  # seconds; guards against a hang, nothing is measured
READY = "Ctrl-C stops everything."
NOT_COPIED = (
    ".venv",
    ".git",
    ".env",
    ".postgres",
    ".static",
    ".hypothesis",
    ".*_cache",
)


class Launched:
    """A launcher in a process of its own, and what it wrote."""

    def __init__(self, checkout: Path, port: int, **variables: str) -> None:
        self.checkout = checkout
        self.port = port
        self._output = (checkout / f"launch-{port}.log").open("w+")
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"SECRET_KEY", "HTTPS", "DATABASE_URL", "OWNER_DATABASE_URL"}
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.launch"],
            cwd=checkout,
            env=inherited | {"PORT": str(port)} | variables,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    @property
    def output(self) -> str:
        return Path(self._output.name).read_text()

    def wait_until_ready(self) -> str:
        until(lambda: READY in self.output or self.process.poll() is not None)
        assert READY in self.output
        return self.output

    def end(self) -> tuple[int, list[str]]:
        """The exit code and the lines written."""
        return self.process.wait(TIMEOUT), self.output.splitlines()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def processes_of(checkout: Path) -> list[psutil.Process]:
    """What still runs in or for the checkout."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(checkout) in " ".join(process.cmdline()) or process.cwd() == str(checkout):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A copy of this tree; not in tmp_path, which other users may not enter."""
    with tempfile.TemporaryDirectory(prefix="a check-out ") as name:
        copy = Path(name).resolve() / "replytics"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        yield copy
        for process in processes_of(copy):
            process.kill()
            process.wait(TIMEOUT)


@pytest.fixture
def port() -> int:
    return free_port()


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def page_after_login(port: int, password: str) -> str:
    """The admin's first page as the superuser sees it."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    login = f"http://127.0.0.1:{port}/admin/login/?next=/admin/"
    browser.open(login)
    [token] = [cookie.value for cookie in jar if cookie.name == "csrftoken"]
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token}
    answer = browser.open(login, urllib.parse.urlencode(form).encode())
    return str(answer.read(), "utf-8")


@pytest.mark.soak
def test_it_runs_until_sigterm_and_leaves_nothing_behind(checkout: Path, port: int) -> None:
    first = Launched(checkout, port)
    output = first.wait_until_ready()
    assert (checkout / ".env").stat().st_mode & 0o777 == 0o600
    until(lambda: status(port, "/health/ready") == 200)
    found = re.search("Log in as admin with the password (.+)", output)
    assert found
    assert "Log out" in page_after_login(port, found[1])

    code, lines = Launched(checkout, free_port()).end()
    assert code == 1
    assert lines == [
        f"Replytics is already running in {checkout}; stop it with: kill {first.process.pid}"
    ]

    first.process.send_signal(signal.SIGTERM)
    code, lines = first.end()
    assert (code, lines[-1]) == (0, "Stopped.")
    assert "Traceback" not in first.output
    assert processes_of(checkout) == []

    second = Launched(checkout, port)
    output = second.wait_until_ready()
    assert found[0] in output
    assert "Loading demo data" not in output
    second.process.send_signal(signal.SIGINT)
    assert second.end()[0] == 0
    assert processes_of(checkout) == []


def part_of(launched: Launched, service: str) -> psutil.Process:
    """nginx by its program, the others by the variable SERVICE of their environment."""
    for child in psutil.Process(launched.process.pid).children():
        name = "nginx" if "nginx" in child.exe() else child.environ().get("SERVICE")
        if name == service:
            return child
    raise AssertionError(f"no {service} runs")


@pytest.mark.soak
def test_what_dies_is_started_again(checkout: Path, port: int) -> None:
    """Each part, PostgreSQL, and the launcher itself."""
    launched = Launched(checkout, port, DEMO_DATA="false")
    launched.wait_until_ready()
    for died, name in enumerate(("admin", "worker", "nginx"), 1):
        kill(launched, name, died=died)
    cluster = Cluster(checkout / ".postgres")
    postmaster = int((cluster.data / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    until(lambda: "PostgreSQL stopped" in launched.output)
    until(lambda: answers(port, "/health/ready"))

    left_behind = psutil.Process(launched.process.pid).children()
    launched.process.kill()
    launched.process.wait()
    assert answers(port, "/health/live")
    second = Launched(checkout, port, DEMO_DATA="false")
    second.wait_until_ready()
    assert not any(process.is_running() for process in left_behind)
    second.process.terminate()
    assert second.end()[0] == 0
    # The server that outlived its launcher was the next one's to stop.
    assert processes_of(checkout) == []


def kill(launched: Launched, name: str, *, died: int) -> None:
    """Kill a part, the how-manieth that dies, and wait until another one is in its place."""
    part = part_of(launched, name)
    launcher = psutil.Process(launched.process.pid)
    others = {child.pid for child in launcher.children() if child != part}
    part.kill()
    said = "ended with code -9; starting it again in"
    until(lambda: launched.output.count(said) == died)
    until(lambda: part_of_or_none(launched, name) not in (None, part.pid))
    until(lambda: answers(launched.port, "/health/ready"))
    assert others <= {child.pid for child in launcher.children()}


def part_of_or_none(launched: Launched, name: str) -> int | None:
    try:
        return part_of(launched, name).pid
    except (AssertionError, psutil.Error):
        return None


def answers(port: int, path: str) -> bool:
    try:
        return status(port, path) == 200
    except OSError:
        return False


def test_a_taken_port_is_refused_before_anything_starts(checkout: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        code, [line] = Launched(checkout, port).end()
    assert code == 1
    assert re.fullmatch(
        rf"Port {port} is in use by another program; choose another: make run PORT=\d+", line
    )
    assert not (checkout / ".postgres" / "data").exists()


def test_an_existing_env_is_kept(checkout: Path, port: int) -> None:
    (checkout / ".env").write_text("SECRET_KEY=\n")
    code, [line] = Launched(checkout, port).end()
    assert code == 1
    assert line.startswith("Settings: SECRET_KEY is not set")
    assert (checkout / ".env").read_text() == "SECRET_KEY=\n"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgres://login:hunter2@127.0.0.1:1/database", "Connection refused"),
        ("mysql://login:hunter2@127.0.0.1/database", "must look like postgres://"),
    ],
)
def test_a_database_out_of_reach_is_one_line(
    checkout: Path, port: int, url: str, reason: str
) -> None:
    code, [line] = Launched(checkout, port, DATABASE_URL=url).end()
    assert code == 1
    assert reason in line
    assert "DATABASE_URL" in line
    assert "hunter2" not in line


@pytest.fixture
def given_database(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """An empty database on the tests' server: the variables that lead there."""
    owner = connections["owner"].settings_dict
    name = f"{owner['NAME']}_launch"
    where = {
        variable: os.environ[variable].rpartition("/")[0] + f"/{name}"
        for variable in ("DATABASE_URL", "OWNER_DATABASE_URL")
    }
    with psycopg.connect(os.environ["OWNER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')
        yield where
        # Not by force, which may not end an autovacuum; without it that gives way.
        connection.execute(f'DROP DATABASE "{name}"')


@pytest.mark.soak
def test_a_given_database_gets_tables_but_no_demo_data(
    checkout: Path, port: int, given_database: dict[str, str]
) -> None:
    (checkout / ".env").write_text(f"SECRET_KEY={'0123456789' * 6}\nHTTPS=true\n")
    launched = Launched(checkout, port, **given_database, ALLOWED_HOSTS=".example.com")
    output = launched.wait_until_ready()
    assert "createsuperuser" in output
    assert "Loading demo data" not in output
    # Nobody has told the logins of the other services.
    assert "One process serves everything: API_DATABASE_URL is not set." in output
    assert not (checkout / ".postgres").exists()
    with psycopg.connect(given_database["OWNER_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM auth_user").fetchone() == (0,)
    launched.process.terminate()
    assert launched.end()[0] == 0
