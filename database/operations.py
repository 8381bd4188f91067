"""Migration operations that may be run again after they were interrupted."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently


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
