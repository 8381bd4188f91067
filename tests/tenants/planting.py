"""Migrations of a temporary app on a database of its own, run by a real process."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import IO

import psycopg
from django.db import connections

from replytics.embedded import ROOT

SETTINGS = "from replytics.settings import *\nINSTALLED_APPS += ['planted']\n"


class Planted:
    """The app `planted` and its database."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        at = connections["owner"].settings_dict
        self.url = (
            f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"
        )
        self.last = ""
        (folder / "planted" / "migrations").mkdir(parents=True)
        for package in ("planted", "planted/migrations"):
            (folder / package / "__init__.py").touch()
        (folder / "planted_settings.py").write_text(SETTINGS)

    def plant(self, name: str, body: str, *, imports: str = "") -> None:
        """A migration after the last one."""
        dependencies = f"[('planted', {self.last!r})]" if self.last else "[]"
        (self.folder / "planted" / "migrations" / f"{name}.py").write_text(
            "from django.db import migrations, models\n"
            f"{imports}\n\n"
            "class Migration(migrations.Migration):\n"
            f"    dependencies = {dependencies}\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        )
        (self.folder / "planted" / "migrations" / "max_migration.txt").write_text(f"{name}\n")
        self.last = name

    def start(self, *arguments: str, app: str | None = "planted") -> subprocess.Popen[str]:
        """manage.py, whose messages are on stderr."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments, *([app] if app else [])],
            cwd=ROOT,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "planted_settings",
                "PYTHONPATH": str(self.folder),
                "DATABASE_URL": self.url,
                "OWNER_DATABASE_URL": self.url,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def migrate(self, *options: str) -> str:
        """A migrate that has to succeed; what it wrote."""
        process = self.start("migrate", *options)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out + err

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url, autocommit=True)


def line_with(stream: IO[str] | None, words: str) -> str:
    """The first line with those words; fails at the end of the stream."""
    assert stream
    seen = []
    for line in stream:
        seen.append(line)
        if words in line:
            return line
    raise AssertionError(f"no {words!r} in {''.join(seen)}")
