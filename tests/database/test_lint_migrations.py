"""Migrations that would stop traffic are refused with the safe way, which is let through."""

import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from pytest_django.plugin import DjangoDbBlocker

from database.safe_migrations.linting import EXCLUDED, FIXES, refusals
from database.safe_migrations.released import new_migrations, records
from tests.database.planting import TIMEOUT, PlantedApp, manage

# One worker runs them all, and prepares for them once.
pytestmark = pytest.mark.xdist_group("lint")

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
        "release later",
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
        "refresh-blocks-readers",
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
        "unreadable",
        "RunPython by itself",
    ),
    "index that cannot be built again": (
        operations(
            "AddIndexConcurrently('visit', models.Index(fields=['status'], name='i'))",
            atomic=False,
        ),
        "not-restartable",
        "AddIndexOnline",
    ),
    "column without a transaction": (
        operations(
            "migrations.AddField('visit', 'note', models.TextField(null=True))", atomic=False
        ),
        "not-restartable",
        "migration of its own",
    ),
    "not null": (
        operations("migrations.AlterField('visit', 'n', models.IntegerField())"),
        "adding-not-nullable-field",
        "SET NOT NULL",
    ),
    "new key for each row": (
        operations(sql("ALTER TABLE visit ADD key uuid DEFAULT gen_random_uuid()")),
        "adding-field-with-default",
        "in batches",
    ),
    "dropped table": (
        operations("migrations.DeleteModel('Visit')"),
        "ban-drop-table",
        "release later",
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
        "opaque-statement",
        "Plain statements",
    ),
    "acceptance of nothing": (
        "safe_because = {'ban-drop-column': 'nothing reads it'}\noperations = []",
        "unused-safe-because",
        "Remove it",
    ),
    "acceptance without a reason": (
        "safe_because = {'ban-drop-column': ''}\n"
        "operations = [migrations.RemoveField('visit', 'n')]",
        "ban-drop-column",
        "release later",
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


# Django looks up the name of the constraint in the database, where the table is not.
LOOKS_UP = operations(
    "migrations.AlterUniqueTogether('visit', {('status', 'n')})",
    "migrations.AlterUniqueTogether('visit', set())",
)


@dataclass(frozen=True)
class Refused:
    migration: str
    rule: str
    fix: str


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the lint says of an app for each case, whose tables are released."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "planted_settings.py").write_text(SETTINGS)
    bodies = {f"unsafe {name}": body for name, (body, _, _) in UNSAFE.items()}
    bodies |= {f"safe {name}": body for name, body in SAFE.items()} | {"looks up": LOOKS_UP}
    for name, body in bodies.items():
        label = name.replace(" ", "_")
        app = PlantedApp(folder, label)
        app.plant("0001_tables", TABLES.replace("LABEL", label))
        app.plant("0002_planted", body.replace("LABEL", label))
        (app.migrations / "released_migration.txt").write_text("0001_tables\n")
    process = manage(folder, "lint_migrations")
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1, err
    assert f"problems in {len(bodies)} new migrations." in err, err
    return out


def refused(said: str, name: str) -> list[Refused]:
    label = name.replace(" ", "_")
    found = re.findall(rf"^{label}\.(\w+): ([\w-]+)\n.*\n    Instead: (.*)", said, re.MULTILINE)
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


def test_lint_refuses_what_depends_on_the_database(said: str) -> None:
    assert [one.rule for one in refused(said, "looks up")] == ["unreadable"]


def test_lint_passes_our_own_migrations(django_db_blocker: DjangoDbBlocker) -> None:
    """`make lint` runs this test, since it needs a PostgreSQL."""
    with django_db_blocker.unblock():
        call_command("lint_migrations", stdout=StringIO())


def test_staged_migrations_would_pass_beside_traffic(django_db_blocker: DjangoDbBlocker) -> None:
    """Those without a transaction are the examples of how a large table is changed."""
    loader = MigrationLoader(None)
    with django_db_blocker.unblock():
        found = {
            str(migration): refusals(migration, state, connections["owner"])
            for label in records()
            for migration in new_migrations(loader, label)
            if not migration.atomic
            for state in [loader.project_state((label, migration.name), at_end=False)]
        }
    assert len(found) > 2
    assert {name: refused for name, refused in found.items() if refused} == {}


def test_lint_reads_what_is_new_since_the_release(tmp_path: Path) -> None:
    """Before a release everything is new, and rows and traffic are no matter."""
    (tmp_path / "planted_settings.py").write_text(SETTINGS)
    app = PlantedApp(tmp_path)
    app.plant("0001_tables", TABLES.replace("LABEL", "planted"))
    app.plant("0002_index", UNSAFE["index"][0])
    assert lint(tmp_path) == (0, "2 new migrations are safe.\n")
    assert lint(tmp_path, "--record-release") == (0, "")
    assert lint(tmp_path) == (0, "0 new migrations are safe.\n")
    app.plant("0003_check", UNSAFE["check"][0])
    code, said = lint(tmp_path)
    assert code == 1
    assert "planted.0003_check: constraint-missing-not-valid" in said
    assert "0002_index" not in said


def lint(folder: Path, *arguments: str) -> tuple[int, str]:
    process = manage(folder, "lint_migrations", *arguments)
    out, err = process.communicate(timeout=TIMEOUT)
    assert "Traceback" not in err
    return process.returncode, out


def test_lint_names_no_app_that_is_not() -> None:
    with pytest.raises(CommandError, match='No app "nothing" with migrations'):
        call_command("lint_migrations", "nothing")


def test_lint_fixes_no_rule_that_is_excluded() -> None:
    assert not EXCLUDED.keys() & FIXES.keys()
