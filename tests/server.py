"""A pytest plugin, loaded first (-p tests.server): the PostgreSQL that the tests run on.

Without DATABASE_URL it starts the embedded PostgreSQL on a cluster of its own, with fsync off, and
stops it at the end. POSTGRES_BIN names the programs of another version, such as Debian's 15.
Each worker's database is a copy of one that has been migrated.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from local.embedded import ROOT, SUPERUSER, Cluster

TEMPLATE = "replytics_test_template"
NOT_OURS = {"tests", "bench", "typescript", "node_modules"}
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
        cluster = _cluster()
        if cluster.start():
            _started.append(cluster)
        os.environ["TEST_CLUSTER"] = str(cluster.directory)
        os.environ.update(cluster.environment())
        os.environ["ADMIN_DATABASE_URL"] = cluster.url(SUPERUSER) or ""
        with psycopg.connect(os.environ["ADMIN_DATABASE_URL"], autocommit=True) as server:
            # What earlier runs left would push out what tests count.
            server.execute("SELECT pg_stat_statements_reset()")
    _collect_static()
    _make_template()


def _cluster() -> Cluster:
    """One for each version, since none reads the data of another."""
    of_any = Cluster(ROOT / ".postgres" / "test", durable=False)
    return Cluster(of_any.directory.with_name(f"test-{of_any.version()}"), durable=False)


def _collect_static() -> None:
    """The pages ask for hashed file names, in the tests as in production."""
    made_of, note = _fingerprint("static"), ROOT / ".static" / ".made-of"
    if not note.exists() or note.read_text() != made_of:
        _manage("collectstatic", "--noinput")
        note.write_text(made_of)


def _make_template() -> None:
    """Migrate the database that the workers copy, unless it was made of the same code."""
    owner = os.environ.get("OWNER_DATABASE_URL") or os.environ["DATABASE_URL"]
    template, made_of = sql.Identifier(TEMPLATE), _fingerprint()
    with psycopg.connect(owner, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [TEMPLATE])
        described = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [TEMPLATE],
        ).fetchone()
        if described == (made_of,):
            return
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(template))
        server.execute(sql.SQL("CREATE DATABASE {}").format(template))
        url = urlsplit(owner)._replace(path=f"/{TEMPLATE}").geturl()
        _manage("migrate", DATABASE_URL=url, OWNER_DATABASE_URL=url)
        server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(template, made_of))


def _manage(*command: str, **environment: str) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command, "-v0"],
        env=os.environ | environment,
        check=True,
    )


def _fingerprint(folder: str = "") -> str:
    """Of our program, or of its folders of that name alone, and of every package."""
    digest = hashlib.sha256()
    for package in sorted(f"{each.name} {each.version}" for each in distributions()):
        digest.update(package.encode())
    for path in sorted(_sources()):
        relative = path.relative_to(ROOT)
        wanted = folder in relative.parts if folder else path.suffix in {".py", ".sql"}
        if wanted and path.is_file():
            digest.update(str(relative).encode() + path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for room in ROOT.iterdir():
        if room.is_dir() and not room.name.startswith(".") and room.name not in NOT_OURS:
            yield from room.rglob("*")


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
