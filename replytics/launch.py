"""What `make run` runs: PostgreSQL, the tables, demo data and a login, then the web server.

Ctrl-C or SIGTERM stops everything that this started; so does the end of any part.
"""

import fcntl
import http.client
import importlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

import django
import psutil
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections

from replytics import embedded
from replytics.embedded import MAIN, ROOT, EmbeddedDatabaseError

READY_TIMEOUT = 120  # seconds
# Longer than gunicorn's graceful_timeout.
STOP_TIMEOUT = 25  # seconds
SAMPLE = ROOT / "calls" / "samples" / "twilio_calls.json"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

WEB_SERVER = [sys.executable, "-m", "gunicorn", "-c", "python:replytics.gunicorn"]
WORKER = [sys.executable, "manage.py", "procrastinate", "worker"]
# Everything that runs until Ctrl-C, in the order of the start.
PROCESSES = {"The web server": WEB_SERVER, "The worker": WORKER}


class LaunchFailed(Exception):
    """Replytics cannot run; the message says what to do."""


def main() -> None:
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    try:
        with ExitStack() as started:
            try:
                _launch(started)
            finally:
                for number in SIGNALS:  # a second Ctrl-C must not leave something running
                    signal.signal(number, signal.SIG_IGN)
    except KeyboardInterrupt:
        print("\nStopped.")
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    except EmbeddedDatabaseError as error:
        sys.exit(f"Embedded PostgreSQL: {error}")
    except DatabaseError as error:
        from replytics.unreachable import explain

        sys.exit(f"Database: {explain(error) or ' '.join(str(error).split())}")
    except (LaunchFailed, CommandError, OSError) as error:
        sys.exit(str(error))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _launch(started: ExitStack) -> None:
    write_env(ROOT / ".env")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
    settings = importlib.import_module("replytics.settings")
    mark = started.enter_context(_sole_launcher()) if settings.EMBEDDED_DATABASE else None
    check_port(settings.PORT)
    if mark:
        started.enter_context(_embedded_database(mark))
        importlib.reload(settings)  # now the server's port and passwords are known
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if settings.DEMO_DATA:
        _load_demo_data()
    login = _login(settings.ADMIN_PASSWORD)
    connections.close_all()
    for worker in _without_launcher(WORKER):  # of a launcher that was killed
        worker.terminate()
    children = {
        name: started.enter_context(_running(command)) for name, command in PROCESSES.items()
    }
    address = f"http://127.0.0.1:{settings.PORT}/"
    _wait_until_ready(children, settings.PORT, settings.ALLOWED_HOSTS[0].lstrip("*."))
    print(f"\nReplytics runs on {address}\n{login}\nCtrl-C stops everything.", flush=True)
    if settings.HTTPS:
        print("HTTPS is on: pages answer through a proxy that ends TLS, or set HTTPS=false.")
    while True:
        _check_that_all_live(children)
        if settings.EMBEDDED_DATABASE and not MAIN.is_running():
            raise LaunchFailed(f"The embedded PostgreSQL stopped; see {MAIN.data}/server.log")
        time.sleep(0.5)


def write_env(path: Path) -> None:
    """Settings for a local start, unless there are settings already."""
    if path.exists() or "SECRET_KEY" in os.environ:
        return
    lines = (
        "# Written by make run for this machine; .env.example describes every setting.",
        f"SECRET_KEY={secrets.token_urlsafe(50)}",
        "HTTPS=false",
        f"ADMIN_PASSWORD={secrets.token_urlsafe(12)}",
    )
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write("\n".join([*lines, ""]))


def check_port(port: int) -> None:
    """Raise LaunchFailed when the web server could not listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return
        except PermissionError:
            raise LaunchFailed(
                f"Only root may use port {port}; choose another one: make run PORT=8000"
            ) from None
        except OSError:
            pass
    other = next(
        (free for free in range(port + 1, 65_536) if embedded.is_free(free)), embedded.free_port()
    )
    advice = f"choose another one: make run PORT={other}"
    if left_behind := next(_without_launcher(WEB_SERVER), None):
        advice = f"end it with kill {left_behind.pid}, or {advice}"
        raise LaunchFailed(f"A killed make run left a web server on port {port}; {advice}")
    raise LaunchFailed(f"Port {port} is taken by another program; {advice}")


def _without_launcher(command: list[str]) -> Iterator[psutil.Process]:
    """Processes of this checkout that run the command and whose launcher has died."""
    for process in psutil.process_iter():
        try:
            if process.cmdline()[1:] == command[1:] and process.cwd() == str(ROOT):
                parent = process.parent()
                above = parent.cmdline() if parent else []
                if "replytics.launch" not in above and above[1:] != command[1:]:
                    yield process
        except psutil.Error:
            continue


@contextmanager
def _sole_launcher() -> Iterator[IO[str]]:
    """Yields a file that is locked, and that is not empty when an earlier launcher was killed."""
    MAIN.directory.mkdir(exist_ok=True)
    with (MAIN.directory / "launcher").open("a+") as mark:
        mark.seek(0)
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchFailed(
                f"Replytics already runs in {ROOT}; stop it with: kill {mark.read()}"
            ) from None
        yield mark


@contextmanager
def _embedded_database(mark: IO[str]) -> Iterator[None]:
    """A running server; in the end it stops unless somebody else had started it."""
    was_killed = bool(mark.read())
    is_ours = MAIN.start() or was_killed
    try:
        mark.truncate(0)
        mark.write(str(os.getpid()))
        mark.flush()
        yield
    finally:
        if is_ours:
            MAIN.stop()
        mark.truncate(0)


def _load_demo_data() -> None:
    from tenancy import all_tenants
    from tenants.models import PhoneNumber

    with all_tenants("make run: is there any line?"):
        if PhoneNumber.objects.exists():
            return
    print("Loading demo data")
    call_command("seed_demo")
    if SAMPLE.exists():
        call_command("import_calls", str(SAMPLE))


def _login(password: str) -> str:
    """Make the superuser of a fresh database; returns what to tell about logging in."""
    from django.contrib.auth.models import User

    if password and not User.objects.filter(is_superuser=True).exists():
        User.objects.create_superuser("admin", password=password)
    admin = User.objects.filter(username="admin", is_active=True).first()
    if admin and password and admin.check_password(password):
        return f"Log in as admin with the password {password}"
    if User.objects.filter(is_superuser=True).exists():
        return "Log in with your own name and password"
    return "Make a login with: .venv/bin/python manage.py createsuperuser"


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    # A session of its own: Ctrl-C reaches the launcher alone, which stops all in order.
    child = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        yield child
    finally:
        child.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        # The workers of a web server that was killed end a moment after it.
        while child.poll() is None or any(_group_of(child)):
            if time.monotonic() > deadline:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                break
            time.sleep(0.1)


def _group_of(child: subprocess.Popen[bytes]) -> Iterator[psutil.Process]:
    """The child and what it started, as far as they still run."""
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == child.pid and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (psutil.Error, ProcessLookupError):
            continue


def _check_that_all_live(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if (code := child.poll()) is not None:
            raise LaunchFailed(f"{name} ended with code {code}; what it wrote is above")


def _wait_until_ready(children: dict[str, subprocess.Popen[bytes]], port: int, host: str) -> None:
    """Until /health/ready answers 200; `host` is a name that ALLOWED_HOSTS lets through."""
    deadline = time.monotonic() + READY_TIMEOUT
    while time.monotonic() < deadline:
        _check_that_all_live(children)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/ready", headers={"Host": host or "localhost"})
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise LaunchFailed(
        f"The web server was not ready within {READY_TIMEOUT} seconds; what it wrote is above"
    )


if __name__ == "__main__":
    main()
