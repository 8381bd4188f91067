"""A pytest plugin, loaded first (-p tests.server): the PostgreSQL that the tests run on.

Without DATABASE_URL it starts the embedded PostgreSQL on a cluster of its own, with fsync off, and
stops it at the end. POSTGRES_BIN names the programs of another version, such as Debian's 15.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from local.embedded import ROOT, SUPERUSER, Cluster

_started: list[Cluster] = []


def _is_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


def _start() -> None:
    os.environ.setdefault(
        "SECRET_KEY", "for the tests alone, where nothing signed leaves the machine"
    )
    os.environ["HTTPS"] = "false"
    os.environ["CONN_MAX_AGE"] = "0"
    os.environ["AUDIT_LOG_LEVEL"] = "WARNING"
    if _is_worker():
        return
    if not os.environ.get("DATABASE_URL"):
        version = "debian" if os.environ.get("POSTGRES_BIN") else "embedded"
        cluster = Cluster(ROOT / ".postgres" / f"test-{version}", durable=False)
        if cluster.start():
            _started.append(cluster)
        os.environ["TEST_CLUSTER"] = str(cluster.directory)
        os.environ.update(cluster.environment())
        os.environ["ADMIN_DATABASE_URL"] = cluster.url(SUPERUSER) or ""
        with psycopg.connect(os.environ["ADMIN_DATABASE_URL"], autocommit=True) as server:
            # What earlier runs left would push out what tests count.
            server.execute("SELECT pg_stat_statements_reset()")
    # The pages ask for hashed file names, in the tests as in production.
    collect = [sys.executable, str(ROOT / "manage.py"), "collectstatic", "--noinput", "-v0"]
    subprocess.run(collect, check=True)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    # Before pytest-django reads the settings.
    _start()
    return (yield)


def pytest_report_header() -> str:
    return f"PostgreSQL: {os.environ['DATABASE_URL'].rpartition('@')[2]}"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    for cluster in _started:
        cluster.stop()
