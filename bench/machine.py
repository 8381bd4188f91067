"""What a run of the benchmarks was made with; no path and no name of the machine."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench.database import connect
from local.embedded import SUPERUSER

PACKAGES = (
    *("Django", "psycopg", "djangorestframework", "gunicorn"),
    *("fastapi", "asyncpg", "orjson", "uvicorn", "django-ninja"),
)
SETTINGS = ("shared_buffers", "work_mem", "fsync", "synchronous_commit", "max_wal_size")


def describe_machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores of {cpu_model()}, {memory:.0f} GB of memory"


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe_versions() -> str:
    with connect(SUPERUSER, "postgres") as server:
        row = server.execute("SHOW server_version").fetchone()
    assert row is not None
    named = [f"PostgreSQL {row[0]}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            named.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # a peer of requirements-bench.txt
            continue
    return ", ".join(named)


def describe_settings() -> str:
    with connect(SUPERUSER, "postgres") as server:
        rows = server.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(SETTINGS)]
        ).fetchall()
    return ", ".join(f"{name} = {value}" for name, value in rows)


def load() -> float:
    """Processes that want a core, over the last minute."""
    return os.getloadavg()[0]
