"""Migration operations: functions from their files, and indexes built beside the traffic."""

import re
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger

# The name of the function that a file makes.
NAME = re.compile(r"^CREATE OR REPLACE FUNCTION ([a-z_]+\.[a-z_]+)\(", re.MULTILINE)


def function_files(app: str) -> list[Path]:
    """The files of an app that make a function of the database each."""
    return sorted((Path(apps.get_app_config(app).path) / "sql").glob("*.sql"))


class LoadFunction(Operation):
    """Makes a function as its file `<app>/sql/<name>.sql` has it, with its owner and its grants.

    The file is today's text, also for a migration of long ago: PL/pgSQL looks for tables when it
    runs. A migration that changes a function loads it `again`; backwards it then stays.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, app: str, name: str, *, again: bool = False) -> None:
        self.app = app
        self.name = name
        self.again = again

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(self._text(), params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if not self.again:
            [function] = NAME.findall(self._text())
            schema_editor.execute(f"DROP FUNCTION {function}", params=None)

    def describe(self) -> str:
        return f"Load {self.app}/sql/{self.name}.sql"

    def _text(self) -> str:
        return (Path(apps.get_app_config(self.app).path) / "sql" / f"{self.name}.sql").read_text()


class AddTriggerToUnmanaged(AddTrigger):
    """AddTrigger of a proxy of an unmanaged model: AddTrigger does nothing to such a table."""

    def allow_migrate_model_trigger(self, schema_editor: Any, model: Any) -> bool:
        return True


class AddIndexOnline(AddIndexConcurrently):
    """CREATE INDEX CONCURRENTLY that survives its own failure.

    A killed or timed-out build leaves an INVALID index of that name behind, on which a second
    try would fail: it is dropped and built again. A valid one is the work of an earlier try.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        built = None
        if not schema_editor.collect_sql:  # sqlmigrate shows the whole, whatever is built here
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
                    [self.index.name],
                )
                built = cursor.fetchone()
        if built == (True,):
            return
        if built == (False,):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {self.index.name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)
