"""Every migration can be taken back, and run again after it was interrupted anywhere."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django_linear_migrations.apps import check_max_migration_files
from pytest_django.plugin import DjangoDbBlocker

from database.operations import AddIndexOnline
from tests.schema import catalog
from tests.schema.catalog import Facts

ROOT = Path(__file__).resolve().parents[2]
OURS = {config.label for config in apps.get_app_configs() if Path(config.path).parent == ROOT}
SCHEMAS = ("public", "app", "mv")
# More than two batches of the backfill.
OLD_CALLS = """
INSERT INTO phone_numbers (id, number, business_name) VALUES ('pn_1', '+14155550123', 'Bakery');
INSERT INTO calls (phone_id, caller_number, call_sid, status, updated_at)
SELECT 'pn_1', '+14155559999', 'CA' || n, 'completed', '2020-01-01'
FROM generate_series(1, 12000) AS n
"""
# One worker runs them all, in their order: they share a database, and each begins where the one
# before it ended, from where there is less to migrate.
pytestmark = pytest.mark.xdist_group("migrations")

LINGERING = """
SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname IN ('app', 'mv')
UNION ALL
SELECT 'function ' || p.oid::regprocedure FROM pg_proc AS p
WHERE pronamespace = 'public'::regnamespace
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
AND proname NOT LIKE 'procrastinate%'  -- the job queue's own
UNION ALL
SELECT DISTINCT 'grant to ' || grantee::regrole || ' on ' || relname
FROM pg_class, aclexplode(relacl)
WHERE relnamespace = 'public'::regnamespace AND grantee <> relowner
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""


class Killed(Exception):
    """Stands for the end of the process between two statements."""


@pytest.fixture(scope="module")
def database(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    """An empty database of its own, as the owner."""
    with django_db_blocker.unblock():
        owner = connections["owner"]
        name = f"{owner.settings_dict['NAME']}_migrations"
        with owner.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
        connections["migrations"] = owner.copy(alias="migrations")
        connections["migrations"].settings_dict["NAME"] = name
        try:
            yield connections["migrations"]
        finally:
            connections["migrations"].close()
            del connections["migrations"]
            with owner.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name}")
            owner.close()


@pytest.fixture
def migrated(database: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """The database with every migration applied and no row."""
    migrate(database)
    with database.cursor() as cursor:
        cursor.execute("TRUNCATE phone_numbers CASCADE")
    return database


def migrate(database: BaseDatabaseWrapper, app: str = "", name: str | None = None) -> None:
    """To one migration of an app (None: before its first one), or everything to the latest."""
    executor = MigrationExecutor(database)
    executor.migrate([(app, name)] if app else executor.loader.graph.leaf_nodes())


def fingerprint(database: BaseDatabaseWrapper) -> Facts:
    """Everything the catalog says of our schemas, row level security and grants included."""
    facts: Facts = {}
    queries = (*catalog.IN_THE_DOCUMENT, catalog.SECURITY)
    with database.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)", [[*SCHEMAS]])
        for (schema,) in cursor.fetchall():
            tables = catalog.tables_in(cursor, schema)
            read = catalog.read(cursor, schema, tables=tables, queries=queries)
            facts |= {f"{schema} {name}": value for name, value in read.items()}
    return facts


def validated(facts: Facts) -> Facts:
    """Nothing takes a validation back, and nothing has to."""
    return {name: value.removesuffix(" NOT VALID") for name, value in facts.items()}


def our_migrations() -> list[tuple[Migration, str | None]]:
    """Our migrations in the order in which they run, each with the one before it in its app."""
    graph = MigrationLoader(None).graph
    latest: dict[str, str] = {}
    found = []
    for app, name in graph._generate_plan(graph.leaf_nodes(), at_end=True):
        if app in OURS:
            found.append((graph.nodes[app, name], latest.get(app)))
            latest[app] = name
    return found


def migration_named(words: str) -> str:
    """The full name of the migration of calls that ends so; its number may change."""
    [name] = [
        migration.name
        for migration, _ in our_migrations()
        if migration.app_label == "calls" and migration.name.endswith(words)
    ]
    return name


def index_migration() -> tuple[str, str, str, str]:
    """The first AddIndexOnline of calls: its index, the migration before it, its own, the next."""
    names = [m.name for m, _ in our_migrations() if m.app_label == "calls"]
    for migration, previous in our_migrations():
        for operation in migration.operations:
            if isinstance(operation, AddIndexOnline) and migration.app_label == "calls":
                following = names[names.index(migration.name) + 1]
                return operation.index.name, previous or "", migration.name, following
    raise AssertionError("no AddIndexOnline")


NOT_ATOMIC = [
    pytest.param(migration, previous, id=str(migration))
    for migration, previous in our_migrations()
    if not migration.atomic
]


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_are_linear() -> None:
    """Each max_migration.txt names the last one; merged branches are told to rebase theirs."""
    assert check_max_migration_files() == []


@pytest.mark.django_db
def test_no_index_is_left_invalid_and_no_constraint_unvalidated() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
            " UNION ALL SELECT conname FROM pg_constraint WHERE NOT convalidated"
        )
        assert cursor.fetchall() == []


def test_backfill_of_ai_confidence(database: BaseDatabaseWrapper) -> None:
    migrate(database, "calls", "0001_initial")
    with database.cursor() as cursor:
        cursor.execute(OLD_CALLS)
        migrate(database, "calls", migration_named("add_ai_confidence"))
        cursor.execute("UPDATE calls SET ai_confidence = 0.5 WHERE call_sid = 'CA7'")
        cursor.execute(
            "INSERT INTO calls (phone_id, caller_number, call_sid, status)"
            " VALUES ('pn_1', '+14155559999', 'CA-new', 'ringing') RETURNING ai_confidence::text"
        )
        assert cursor.fetchone() == ("0.80",)
        cursor.execute("SELECT count(*) FROM calls WHERE ai_confidence IS NULL")
        assert cursor.fetchone() == (11_999,)
        migrate(database, "calls", migration_named("fill_ai_confidence"))
        cursor.execute("SELECT ai_confidence::text, count(*) FROM calls GROUP BY 1 ORDER BY 1")
        assert cursor.fetchall() == [("0.50", 1), ("0.80", 12_000)]
        migrate(database, "calls", migration_named("require_ai_confidence"))
        with pytest.raises(DatabaseError, match="not-null"):
            cursor.execute("UPDATE calls SET ai_confidence = NULL WHERE call_sid = 'CA7'")
        migrate(database)
        cursor.execute("SELECT count(*) FROM calls")
        assert cursor.fetchone() == (12_001,)


def test_every_migration_can_be_taken_back(migrated: BaseDatabaseWrapper) -> None:
    """All of them, which leaves nothing behind; then one by one, forwards, back and again."""
    complete = fingerprint(migrated)
    MigrationExecutor(migrated).migrate([(app, None) for app in sorted(OURS)])
    with migrated.cursor() as cursor:
        cursor.execute(LINGERING)
        assert cursor.fetchall() == []
        tables = set(catalog.tables_in(cursor, "public"))
    ours = {
        model._meta.db_table
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        if not model._meta.proxy
    }
    assert tables & ours == set()
    executor = MigrationExecutor(migrated)
    state = executor.migrate([], plan=[])
    after = fingerprint(migrated)
    for migration, _ in our_migrations():
        before, forwards = after, [(migration, False)]
        executor.migrate([], plan=forwards, state=state.clone())
        after = fingerprint(migrated)
        executor.unapply_migration(state, migration)
        assert fingerprint(migrated) == validated(before), f"backwards: {migration}"
        state = executor.migrate([], plan=forwards, state=state)
        assert fingerprint(migrated) == after, f"forwards again: {migration}"
    assert fingerprint(migrated) == complete


@pytest.mark.parametrize(("migration", "previous"), NOT_ATOMIC)
def test_interrupted_migration_can_be_run_again(
    database: BaseDatabaseWrapper, migration: Migration, previous: str
) -> None:
    """Interrupted before each of its first and last statements, and some in between."""
    app, name = migration.app_label, migration.name
    migrate(database, app, name)
    complete = fingerprint(database)

    def run(*, statements: int) -> int:
        """Run it from the start until it wants one statement more; returns how many it had."""
        migrate(database, app, previous)
        with database.cursor() as cursor:
            cursor.execute("TRUNCATE phone_numbers CASCADE")
            cursor.execute(OLD_CALLS)
        done = 0

        def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal done
            if done == statements:
                raise Killed
            done += 1
            return execute(sql, params, many, context)

        with suppress(Killed), database.execute_wrapper(die):
            migrate(database, app, name)
        return done

    total = run(statements=sys.maxsize)
    assert total > 2  # looked, changed, recorded
    between = range(0, total, max(1, total // 6))
    for statements in sorted({*range(min(5, total)), *between, *range(max(0, total - 4), total)}):
        assert run(statements=statements) == statements
        migrate(database, app, name)
        assert fingerprint(database) == complete


def test_invalid_index_is_built_again(database: BaseDatabaseWrapper) -> None:
    name, previous, migration, _ = index_migration()
    migrate(database, "calls", previous)
    with database.cursor() as cursor:
        cursor.execute("TRUNCATE phone_numbers CASCADE")
        cursor.execute(OLD_CALLS)
        with pytest.raises(DatabaseError, match="could not create unique index"):
            cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON calls (phone_id)")
        assert index(database, name)[1:] == (False, "CREATE UNIQUE INDEX")
        migrate(database, "calls", migration)
        assert index(database, name)[1:] == (True, "CREATE INDEX " + name)


def test_valid_index_is_left_alone(database: BaseDatabaseWrapper) -> None:
    name, _, migration, following = index_migration()
    migrate(database, "calls", migration)
    before = index(database, name)
    MigrationExecutor(database).recorder.record_unapplied("calls", migration)
    migrate(database, "calls", following)
    assert index(database, name) == before


def index(database: BaseDatabaseWrapper, name: str) -> tuple[int, bool, str]:
    """Its oid, whether it is valid, how its definition begins."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::int, indisvalid, substring(pg_get_indexdef(indexrelid) FROM %s)"
            " FROM pg_index WHERE indexrelid = to_regclass(%s)",
            [r"^CREATE (?:UNIQUE INDEX|INDEX \S+)", name],
        )
        return tuple(cursor.fetchone())


def test_sqlmigrate_shows_an_index_that_is_built(committed: None) -> None:
    name, _, migration, _ = index_migration()
    shown = StringIO()
    call_command("sqlmigrate", "calls", migration, stdout=shown)
    assert f'CREATE INDEX CONCURRENTLY "{name}"' in shown.getvalue()
