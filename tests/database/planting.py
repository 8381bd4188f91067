"""Migrations of a temporary app on a database of its own, run by a real process."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
from django.db import connections

from local.embedded import ROOT

TIMEOUT = 240  # seconds; guards against a hang, nothing is measured
SETTINGS = "from replytics.settings import *\nINSTALLED_APPS += ['planted']\n"
TABLE = "CREATE TABLE planted AS SELECT n::bigint AS id, n FROM generate_series(1, 1000) AS n"
IMPORTS = """
from django.contrib.postgres.operations import *
from django.db import migrations, models
from database.operations import AddIndexOnline
"""


class PlantedApp:
    """A package in a folder, whose migrations are planted one after the other."""

    def __init__(self, folder: Path, label: str = "planted") -> None:
        self.label = label
        self.migrations = folder / label / "migrations"
        self.last = ""
        self.migrations.mkdir(parents=True)
        for package in (self.migrations, self.migrations.parent):
            (package / "__init__.py").touch()

    def plant(self, name: str, body: str) -> None:
        """A migration after the last one; the body is that of its class."""
        dependencies = f"[({self.label!r}, {self.last!r})]" if self.last else "[]"
        (self.migrations / f"{name}.py").write_text(
            f"{IMPORTS}\n\nclass Migration(migrations.Migration):\n"
            f"    dependencies = {dependencies}\n"
            f"{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        )
        (self.migrations / "max_migration.txt").write_text(f"{name}\n")
        self.last = name


class PlantedDatabase(PlantedApp):
    """The app on a database of its own, migrated by real processes."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder)
        self.folder = folder
        at = connections["owner"].settings_dict
        self.url = f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"
        (folder / "planted_settings.py").write_text(SETTINGS)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of manage.py about the app; its messages are on stderr."""
        database = {"DATABASE_URL": self.url, "OWNER_DATABASE_URL": self.url}
        return manage(self.folder, *arguments, "planted", **database)

    def migrate(self, *options: str) -> str:
        """A migrate that has to succeed; what it wrote."""
        process = self.start("migrate", *options)
        out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, err
        return out + err

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url, autocommit=True)


@contextmanager
def planted_database(folder: Path) -> Iterator[PlantedDatabase]:
    """With a table `planted` of a thousand rows, which no migration made."""
    owner = connections["owner"]
    name = f"{owner.settings_dict['NAME']}_planted"
    with owner.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    planted = PlantedDatabase(folder, name)
    with planted.connect() as connection:
        connection.execute(TABLE)
    try:
        yield planted
    finally:
        with owner.cursor() as cursor:
            # Not WITH (FORCE): only a superuser may end an autovacuum; without it PostgreSQL does.
            cursor.execute(f"DROP DATABASE {name}")


def manage(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """manage.py with the planted_settings of the folder."""
    settings = {"DJANGO_SETTINGS_MODULE": "planted_settings", "PYTHONPATH": str(folder)}
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | settings | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line_with(stream: IO[str] | None, words: str) -> str:
    """The first line with those words; fails at the end of the stream."""
    assert stream
    seen = []
    for line in stream:
        seen.append(line)
        if words in line:
            return line
    raise AssertionError(f"no {words!r} in {''.join(seen)}")
