"""The last release's code goes on working while the schema is already the next one's."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from database.safe_migrations.released import records
from tests.isolation.rows import MAKERS, make_rows
from tests.schema.test_migrations import OURS

# Each stops the code of before.
INCOMPATIBLE = {
    "renamed column": "ALTER TABLE calls RENAME COLUMN recording_url TO url",
    "required column": "ALTER TABLE calls ADD required text NOT NULL DEFAULT 'x';"
    " ALTER TABLE calls ALTER required DROP DEFAULT",
    "shorter text": "ALTER TABLE calls ADD CHECK (length(caller_number) < 3) NOT VALID",
}
State = list[tuple[str, str]]
Tables = dict[str, list[str]]


def tables_of(state: State) -> Tables:
    """Each table that the models of then write, and its columns; a view is only read."""
    historical = MigrationLoader(None).project_state(state).apps
    return {
        model._meta.db_table: [
            field.column
            for field in model._meta.local_concrete_fields
            if field.column and not isinstance(field, models.GeneratedField)
        ]
        for model in historical.get_models()
        if model._meta.app_label in OURS and model._meta.managed and not model._meta.proxy
    }


@pytest.fixture
def database(committed: None) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """With a row in every table, as a superuser, whose changes are rolled back."""
    if "ADMIN_DATABASE_URL" not in os.environ:
        pytest.skip("ADMIN_DATABASE_URL names no superuser of this server")
    make_rows()
    name = connection.settings_dict["NAME"]
    url = urlsplit(os.environ["ADMIN_DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with psycopg.connect(url) as superuser:
        yield superuser
        superuser.rollback()


def run_old_statements(database: psycopg.Connection[tuple[object, ...]], tables: Tables) -> int:
    """SELECT, UPDATE, DELETE and INSERT with the columns of then; how many rows they moved."""
    moved = 0
    database.execute("TRUNCATE app.archived_call_sids")  # or the archive would know its calls
    for table, columns in tables.items():
        name = sql.Identifier(table)
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        same = sql.SQL(", ").join(sql.SQL("{0} = {0}").format(sql.Identifier(c)) for c in columns)
        # What guards history is not what is asked here: triggers and foreign keys stand aside,
        # save those that an INSERT runs into.
        database.execute("SET LOCAL session_replication_role = replica")
        database.execute(sql.SQL("UPDATE {} SET {}").format(name, same))
        database.execute(
            sql.SQL("CREATE TEMP TABLE kept AS SELECT {} FROM {}").format(names, name)
        )
        database.execute(sql.SQL("DELETE FROM {}").format(name))
        database.execute("SET LOCAL session_replication_role = origin")
        moved += database.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT * FROM kept").format(name, names)
        ).rowcount
        database.execute("DROP TABLE kept")
    return moved


def last_release() -> State:
    """The last migration of each app in the last release; before the first, those of today."""
    released = {label: r.read_text().strip() for label, r in records().items() if r.exists()}
    leaves = MigrationLoader(None).graph.leaf_nodes()
    return list(released.items()) or [key for key in leaves if key[0] in OURS]


def test_statements_of_the_last_release_run_on_the_new_schema(
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    tables = tables_of(last_release())
    made = {model._meta.db_table for model in MAKERS if model._meta.managed}
    assert {"calls", "phone_numbers", "daily_call_stats"} <= tables.keys()
    assert run_old_statements(database, tables) >= len(tables.keys() & made)


@pytest.mark.parametrize("change", INCOMPATIBLE.values(), ids=INCOMPATIBLE)
def test_old_statements_fail_on_an_incompatible_schema(
    database: psycopg.Connection[tuple[object, ...]], change: str
) -> None:
    database.execute(change)
    with pytest.raises(psycopg.Error):
        run_old_statements(database, tables_of(last_release()))
