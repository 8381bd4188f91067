"""Migrations that would stop traffic are refused with the safe way, which is let through."""

import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader

from database.safe_migrations.collecting import no_database, steps
from database.safe_migrations.linting import CURES, SILENT
from database.safe_migrations.released import RECORD, new_migrations, our_apps
from tests.tenants.planting import PATIENCE, PlantedApp, manage

TABLES = """
operations = [
    migrations.CreateModel("Person", [("id", models.BigAutoField(primary_key=True))],
        options={"db_table": "person"}),
    migrations.CreateModel("Visit", [
        ("id", models.BigAutoField(primary_key=True)),
        ("person", models.ForeignKey("LABEL.Person", models.CASCADE)),
        ("status", models.CharField(max_length=20)),
        ("n", models.IntegerField(null=True)),
    ], options={"db_table": "visit", "indexes": [models.Index(fields=["n"], name="visit_n")]}),
]
"""
SETTINGS = """
from pathlib import Path
from replytics.settings import *
BASE_DIR = Path(__file__).parent
INSTALLED_APPS += [path.parent.name for path in BASE_DIR.glob("*/migrations")]
"""


def operations(*lines: str, atomic: bool = True) -> str:
    return f"atomic = {atomic}\noperations = [{', '.join(lines)}]"


def sql(statement: str, reverse: str = "''") -> str:
    return f"migrations.RunSQL({statement!r}, {reverse})"


CONDITION = "models.Q(n__gte=0)"
# Each with the rule that refuses it and a word of the safe way.
UNSAFE = {
    "index": (
        operations("migrations.AddIndex('visit', models.Index(fields=['status'], name='i'))"),
        "require-concurrent-index-creation",
        "AddIndexOnline",
    ),
    "required column": (
        operations("migrations.AddField('visit', 'language', models.TextField(default='en'))"),
        "ban-drop-default",
        "db_default=",
    ),
    "shorter text": (
        operations("migrations.AlterField('visit', 'status', models.CharField(max_length=9))"),
        "changing-column-type",
        "CHECK NOT VALID",
    ),
    "unique constraint": (
        operations(
            "migrations.AddConstraint('visit',"
            " models.UniqueConstraint(fields=['status'], name='u'))"
        ),
        "disallowed-unique-constraint",
        "USING INDEX",
    ),
    "check": (
        operations(
            "migrations.AddConstraint('visit',"
            f" models.CheckConstraint(condition={CONDITION}, name='c'))"
        ),
        "constraint-missing-not-valid",
        "AddConstraintNotValid",
    ),
    "foreign key": (
        operations(
            sql("ALTER TABLE visit ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES person (id)")
        ),
        "adding-foreign-key-constraint",
        "VALIDATE CONSTRAINT",
    ),
    "renamed column": (
        operations("migrations.RenameField('visit', 'n', 'number')"),
        "renaming-column",
        "db_column=",
    ),
    "dropped column": (
        operations("migrations.RemoveField('visit', 'n')"),
        "ban-drop-column",
        "next release",
    ),
    "update of all rows": (
        operations(sql("UPDATE visit SET n = 0 WHERE n IS NULL")),
        "rows-in-one-statement",
        "in batches",
    ),
    "python in a transaction": (
        operations("migrations.RunPython(lambda apps, editor: None, migrations.RunPython.noop)"),
        "python-in-transaction",
        "atomic = False",
    ),
    "refresh": (
        operations(sql("REFRESH MATERIALIZED VIEW mv.phone_performance_summary")),
        "refresh-stops-readers",
        "CONCURRENTLY",
    ),
    # Eleven, and what else there is.
    "no way back": (
        operations("migrations.RunSQL('GRANT SELECT ON visit TO replytics_staff')"),
        "no-reverse",
        "reverse_sql",
    ),
    "no way back in python": (
        operations("migrations.RunPython(lambda apps, editor: None)", atomic=False),
        "no-reverse",
        "reverse_code",
    ),
    "python with a transaction of its own": (
        operations(
            "migrations.RunPython(lambda a, e: None, lambda a, e: None, atomic=True)", atomic=False
        ),
        "python-in-transaction",
        "batches",
    ),
    "hidden python": (
        operations(
            "migrations.SeparateDatabaseAndState([migrations.RunPython(lambda a, e: None,"
            " migrations.RunPython.noop)])"
        ),
        "python-in-transaction",
        "batches",
    ),
    "index that cannot be built again": (
        operations(
            "AddIndexConcurrently('visit', models.Index(fields=['status'], name='i'))",
            atomic=False,
        ),
        "index-not-repeatable",
        "AddIndexOnline",
    ),
    "column without a transaction": (
        operations(
            "migrations.AddField('visit', 'note', models.TextField(null=True))", atomic=False
        ),
        "not-repeatable",
        "a migration of its own",
    ),
    "not null": (
        operations("migrations.AlterField('visit', 'n', models.IntegerField())"),
        "adding-not-nullable-field",
        "calls.0004_require_ai_confidence",
    ),
    "new key for each row": (
        operations(sql("ALTER TABLE visit ADD key uuid DEFAULT gen_random_uuid()")),
        "adding-field-with-default",
        "in batches",
    ),
    "dropped table": (
        operations("migrations.DeleteModel('Visit')"),
        "ban-drop-table",
        "next release",
    ),
    "renamed table": (
        operations("migrations.AlterModelTable('Visit', 'visits')"),
        "renaming-table",
        "db_table",
    ),
    "dropped index": (
        operations("migrations.RemoveIndex('visit', 'visit_n')"),
        "require-concurrent-index-deletion",
        "RemoveIndexConcurrently",
    ),
    "two tables at once": (
        operations(
            "migrations.AddField('visit', 'note', models.TextField(null=True))",
            "migrations.AddField('person', 'note', models.TextField(null=True))",
        ),
        "several-tables",
        "each table",
    ),
    "block": (
        operations(sql("DO $$ BEGIN EXECUTE 'DROP TABLE visit'; END $$")),
        "unreadable",
        "Plain statements",
    ),
    "acceptance of nothing": (
        "safe_because = {'ban-drop-column': 'nothing reads it'}\noperations = []",
        "nothing-to-accept",
        "Take it from safe_because",
    ),
    "acceptance without a reason": (
        "safe_because = {'ban-drop-column': ''}\n"
        "operations = [migrations.RemoveField('visit', 'n')]",
        "ban-drop-column",
        "safe_because",
    ),
}
SAFE = {
    "index": operations(
        "AddIndexOnline('visit', models.Index(fields=['status'], name='i'))", atomic=False
    ),
    "dropped index": operations("RemoveIndexConcurrently('visit', 'visit_n')", atomic=False),
    "column": operations(
        "migrations.AddField('visit', 'language', models.TextField(db_default='en'))"
    ),
    "column that may be empty": operations(
        "migrations.AddField('visit', 'note', models.TextField(null=True))"
    ),
    "longer text": (
        "safe_because = {'changing-column-type': 'varchar becomes text without a rewrite'}\n"
        "operations = [migrations.AlterField('visit', 'status', models.TextField())]"
    ),
    "unique constraint": operations(
        sql("CREATE UNIQUE INDEX CONCURRENTLY u ON visit (status)"), atomic=False
    ),
    "unique constraint of an index": operations(
        sql("ALTER TABLE visit ADD CONSTRAINT u UNIQUE USING INDEX u")
    ),
    "check": operations(
        f"AddConstraintNotValid('visit', models.CheckConstraint(condition={CONDITION}, name='c'))"
    ),
    "validation": operations(sql("ALTER TABLE visit VALIDATE CONSTRAINT c")),
    "foreign key": operations(
        sql("ALTER TABLE visit ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES person (id) NOT VALID")
    ),
    "renamed field": operations(
        "migrations.SeparateDatabaseAndState(state_operations=["
        "migrations.RenameField('visit', 'n', 'number')])"
    ),
    "batches": operations(
        "migrations.RunPython(lambda apps, editor: None, migrations.RunPython.noop)", atomic=False
    ),
    "refresh": operations(
        sql("REFRESH MATERIALIZED VIEW CONCURRENTLY mv.phone_performance_summary"), atomic=False
    ),
    "dropped column": (
        "safe_because = {'ban-drop-column': 'no code reads it since the last release'}\n"
        "operations = [migrations.RemoveField('visit', 'n')]"
    ),
    "new table": operations(
        "migrations.CreateModel('Pet', [('id', models.BigAutoField(primary_key=True)),"
        " ('owner', models.ForeignKey('LABEL.Person', models.CASCADE))],"
        " options={'db_table': 'pet'})",
        sql("UPDATE pet SET owner_id = 1; CREATE INDEX j ON pet (id)"),
    ),
}


ASKS = operations(
    "type('Ask', (migrations.RunSQL,), {'database_forwards':"
    " lambda self, label, editor, old, new: editor.connection.cursor()})('', '')"
)


@dataclass(frozen=True)
class Refused:
    migration: str
    rule: str
    fix: str


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the lint says, without any database, of an app for each case."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "planted_settings.py").write_text(SETTINGS)
    bodies = {f"unsafe {name}": body for name, (body, _, _) in UNSAFE.items()}
    bodies |= {f"safe {name}": body for name, body in SAFE.items()} | {"asks": ASKS}
    for name, body in bodies.items():
        label = name.replace(" ", "_")
        app = PlantedApp(folder, label)
        app.plant("0001_tables", TABLES.replace("LABEL", label))
        app.plant("0002_planted", body.replace("LABEL", label))
    nowhere = "postgres://nobody@127.0.0.1:1/none"
    process = manage(folder, "lint_migrations", DATABASE_URL=nowhere, OWNER_DATABASE_URL=nowhere)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, err
    assert re.search(rf"reasons to refuse what {2 * len(bodies)} new migrations do", err), err
    return out


def refused(said: str, name: str) -> list[Refused]:
    label = name.replace(" ", "_")
    found = re.findall(
        rf"^{label}\.(\w+): ([\w-]+)\n.*\n.*\n    Instead: (.*)", said, re.MULTILINE
    )
    return [Refused(*parts) for parts in found]


@pytest.mark.parametrize("name", UNSAFE)
def test_lint_refuses(said: str, name: str) -> None:
    _, rule, safe_way = UNSAFE[name]
    found = refused(said, f"unsafe {name}")
    assert {one.migration for one in found} == {"0002_planted"}
    [fix] = [one.fix for one in found if one.rule == rule]
    assert safe_way in fix


@pytest.mark.parametrize("name", SAFE)
def test_lint_lets_the_safe_way_through(said: str, name: str) -> None:
    assert refused(said, f"safe {name}") == []


def test_lint_refuses_what_asks_the_database(said: str) -> None:
    assert [one.rule for one in refused(said, "asks")] == ["asks-the-database"]


def test_lint_needs_no_database_for_any_migration_of_ours() -> None:
    loader = MigrationLoader(None)
    keys = [key for key in loader.graph.nodes if key[0] in our_apps()]
    with no_database() as connection:
        for key in keys:
            done = steps(
                loader.graph.nodes[key], loader.project_state(key, at_end=False), connection
            )
            wanted = [step for step in done if isinstance(step.operation, RunSQL)]
            assert all(step.statements for step in wanted)
    assert len(keys) > 40


def test_lint_passes_our_own_migrations() -> None:
    call_command("lint_migrations", stdout=StringIO())


def test_lint_knows_which_migrations_are_new(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loader = MigrationLoader(None)
    # An app that is younger than the last release has no line.
    assert {line.split()[0] for line in RECORD.read_text().splitlines()} <= {*our_apps()}
    older = tmp_path / "released.txt"
    older.write_text("calls 0042_apply_call_events\ntenants 0041_find_memberships\n")
    monkeypatch.setattr("database.safe_migrations.released.RECORD", older)
    new = {str(migration) for migration in new_migrations(loader, ["calls", "tenants"])}
    assert {"calls.0043_index_latest_archived_calls", "tenants.0042_count_requests"} <= new
    assert not {"calls.0042_apply_call_events", "tenants.0041_find_memberships"} & new
    assert {migration.partition(".")[0] for migration in new} == {"calls", "tenants"}


def test_lint_names_no_app_that_is_not() -> None:
    with pytest.raises(CommandError, match="There is no app nothing with migrations"):
        call_command("lint_migrations", "nothing")


def test_lint_cures_no_rule_that_is_silent() -> None:
    assert not SILENT.keys() & CURES.keys()
