"""pgbouncer in transaction mode, started on loopback where Debian's package is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.embedded import SYSTEM_USER, free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
START_TIMEOUT = 60  # seconds


@contextmanager
def pgbouncer(server: dict[str, Any], *, pool_size: int) -> Iterator[int]:
    """The port of a pgbouncer in front of a Django database, with pool_size server connections."""
    assert PROGRAM is not None
    port = free_port()
    directory = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    users = directory / "users.txt"
    users.write_text(f'"{server["USER"]}" "{server["PASSWORD"]}"\n')
    log = directory / "pgbouncer.log"
    configuration = directory / "pgbouncer.ini"
    configuration.write_text(
        f"""
        [databases]
        * = host={server["HOST"]} port={server["PORT"]}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = scram-sha-256
        auth_file = {users}
        pool_mode = transaction
        default_pool_size = {pool_size}
        max_client_conn = 200
        logfile = {log}
        """
    )
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # pgbouncer refuses to run as root, as PostgreSQL does
        identity = {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": []}
        for path in (directory, users, configuration):
            shutil.chown(path, SYSTEM_USER, SYSTEM_USER)
    process = subprocess.Popen(
        [PROGRAM, "-q", str(configuration)], stderr=subprocess.DEVNULL, **identity
    )
    try:
        _wait_for(port, process, log)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT)
        shutil.rmtree(directory)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text() if log.exists() else "nothing"
                raise RuntimeError(f"pgbouncer did not start; it said: {said}") from None
            time.sleep(0.02)
        else:
            return
