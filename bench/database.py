"""The cluster that benchmarks run on, apart from the working database, and databases on it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from local.embedded import (
    API_LOGIN,
    INTAKE_LOGIN,
    OWNER_LOGIN,
    ROOT,
    SERVING_LOGIN,
    SUPERUSER,
    Cluster,
)

# Durable: a commit waits for the disk, as in production. One for each version's programs.
VERSION = os.environ.get("POSTGRES_BIN", "").strip("/").replace("/", "-")
CLUSTER = Cluster(ROOT / ".postgres" / f"bench{VERSION and '-'}{VERSION}")

LEFTOVERS = "SELECT datname FROM pg_database WHERE starts_with(datname, 'bench_')"


@contextmanager
def running_cluster() -> Iterator[None]:
    """Starts the cluster unless it runs, and stops what it started."""
    started = CLUSTER.start()
    try:
        if started:
            _drop_leftovers()
        yield
    finally:
        if started:
            CLUSTER.stop()


def _drop_leftovers() -> None:
    """Databases of a run that was killed."""
    with connect(SUPERUSER, "postgres") as server:
        for (name,) in server.execute(LEFTOVERS).fetchall():
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def connect(login: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    url = CLUSTER.url(login, database)
    assert url is not None
    return psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor)


def environment(database: str) -> dict[str, str]:
    """What a process of the product needs to work on a database of the cluster."""
    urls = {
        "DATABASE_URL": SERVING_LOGIN,
        "OWNER_DATABASE_URL": OWNER_LOGIN,
        "API_DATABASE_URL": API_LOGIN,
        "INTAKE_DATABASE_URL": INTAKE_LOGIN,
    }
    return {name: CLUSTER.url(login, database) or "" for name, login in urls.items()} | {
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50),
        "DJANGO_SETTINGS_MODULE": "replytics.settings",
        "HTTPS": "false",  # plain http on loopback
        "AUDIT_LOG_LEVEL": "WARNING",  # a line a request would be measured too
    }


def as_superuser() -> "psycopg.Connection[tuple[object, ...]]":
    """To the database of the environment, whatever its policies say."""
    return connect(SUPERUSER, os.environ["DATABASE_URL"].rpartition("/")[2])


def as_serving_login() -> "psycopg.Connection[tuple[object, ...]]":
    """To the database of the environment, held by its policies."""
    return connect(SERVING_LOGIN, os.environ["DATABASE_URL"].rpartition("/")[2])


@contextmanager
def scratch_database(name: str, *, template: str | None = None) -> Iterator[str]:
    """A database that is dropped afterwards: a copy of another one, or an empty, migrated one."""
    with connect(SUPERUSER, "postgres") as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        source = f"TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        server.execute(f"CREATE DATABASE {name} OWNER {OWNER_LOGIN} {source}")
        try:
            if template is None:
                manage(name, "migrate", "--verbosity=0")
            yield name
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def manage(database: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=os.environ | environment(database),
        check=True,
    )
