"""What `make run` runs: PostgreSQL, the tables, demo data and a login, then the services.

A service that ends is started again. Ctrl-C or SIGTERM stops everything that this started.
"""

import fcntl
import importlib
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections

from local import embedded
from local.embedded import MAIN, ROOT, EmbeddedDatabaseError
from local.processes import is_ready, one_for_all, reason_for_one, services, sockets
from local.supervisor import Supervised, end, orphans, running

READY_TIMEOUT = 120  # seconds
SAMPLE = ROOT / "calls" / "intake" / "imports" / "samples" / "twilio_calls.json"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        from database.errors import explain_unreachable

        sys.exit(f"Database: {explain_unreachable(error) or ' '.join(str(error).split())}")
    except (LaunchFailed, CommandError, OSError) as error:
        sys.exit(str(error))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _launch(started: ExitStack) -> None:
    write_env(ROOT / ".env")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
    os.environ["SERVICE"] = "all"  # what this process does itself
    settings = importlib.import_module("replytics.settings")
    mark = started.enter_context(_sole_launcher()) if settings.EMBEDDED_DATABASE else None
    end(orphans())
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
    addresses = [f"127.0.0.1:{settings.PORT}"]
    if reason := reason_for_one():
        print(f"One process serves everything: {reason}.", flush=True)
        processes = one_for_all()
    else:
        # In the folder for temporary files: the path of a socket file may be 100 characters long.
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="replytics-")))
        addresses = [*sockets(folder), *addresses]
        processes = services(
            folder,
            port=settings.PORT,
            static=settings.STATIC_ROOT,
            behind_tls_proxy=settings.BEHIND_TLS_PROXY,
        )
    started.enter_context(running(processes))
    _wait_until_ready(processes, addresses, settings.ALLOWED_HOSTS[0].lstrip("*."))
    print(
        f"\nReplytics runs on http://{addresses[-1]}/\n{login}\nCtrl-C stops everything.",
        flush=True,
    )
    if settings.HTTPS:
        print(
            "HTTPS is on: open the pages through a proxy that terminates TLS, or set HTTPS=false."
        )
    while True:
        if settings.EMBEDDED_DATABASE:
            _revive_database(processes)
        for process in processes:
            process.revive()
        time.sleep(0.5)


def _revive_database(processes: Sequence[Supervised]) -> None:
    """Restart PostgreSQL if it stopped, and the services if its port changed."""
    if MAIN.is_running():
        return
    print(f"PostgreSQL stopped, see {MAIN.data}/server.log; starting it again", flush=True)
    before = MAIN.url(embedded.SERVING_LOGIN)
    try:
        MAIN.start()
    except EmbeddedDatabaseError as error:
        print(f"Embedded PostgreSQL: {error}", flush=True)
        time.sleep(5)
        return
    if MAIN.url(embedded.SERVING_LOGIN) != before:
        for process in processes:
            process.terminate()


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
                f"Only root may use port {port}; choose another: make run PORT=8000"
            ) from None
        except OSError:
            pass
    other = next(
        (free for free in range(port + 1, 65_536) if embedded.is_free(free)), embedded.free_port()
    )
    advice = f"choose another: make run PORT={other}"
    raise LaunchFailed(f"Port {port} is in use by another program; {advice}")


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
                f"Replytics is already running in {ROOT}; stop it with: kill {mark.read()}"
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
        return "Log in with your username and password"
    return "Create a login with: .venv/bin/python manage.py createsuperuser"


def _check_that_all_live(processes: Sequence[Supervised]) -> None:
    for process in processes:
        if (code := process.exit_code()) is not None:
            raise LaunchFailed(f"The {process.name} ended with code {code}; see its output above")


def _wait_until_ready(processes: Sequence[Supervised], addresses: list[str], host: str) -> None:
    """Until all answer that they are ready; `host` is a name that ALLOWED_HOSTS lets through."""
    deadline = time.monotonic() + READY_TIMEOUT
    waiting = list(addresses)
    while waiting:
        _check_that_all_live(processes)
        if is_ready(waiting[0], host or "localhost"):
            waiting.pop(0)
        elif time.monotonic() > deadline:
            raise LaunchFailed(
                f"{waiting[0]} was not ready within {READY_TIMEOUT} seconds;"
                " see their output above"
            )
        else:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
