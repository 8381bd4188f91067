"""Each function of the database is what its file in <app>/sql/ says, and nothing else is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.db import connections
from django.db.backends.utils import CursorWrapper

from database.operations import NAME, function_files
from database.triggers import TriggerSql

pytestmark = pytest.mark.django_db(databases=["owner"])

ROOT = Path(__file__).resolve().parents[2]
FILES = [path for config in apps.get_app_configs() for path in function_files(config.label)]
# What each function is; the schema's name apart, which differs between the two that are compared.
FUNCTIONS = """
SELECT proname, jsonb_build_object(
    'text', replace(pg_get_functiondef(p.oid), nspname || '.', ''),
    'owner', proowner::regrole,
    'may execute', (
        SELECT jsonb_agg(format('%%s %%s', CASE grantee WHEN 0 THEN 'PUBLIC'
            ELSE grantee::regrole::text END, privilege_type) ORDER BY 1)
        FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))))
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
WHERE nspname = ANY(%s) AND proname NOT LIKE 'procrastinate%%'  -- the job queue's own
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')  -- an extension's
"""
# check_function_bodies: what a function names is in the schema that was put aside.
PUT_ASIDE = """
ALTER FUNCTION public.update_updated_at_column RENAME TO procrastinate_put_aside;
ALTER SCHEMA app RENAME TO migrated;
CREATE SCHEMA app;
SET LOCAL check_function_bodies = off;
"""
Functions = dict[str, dict[str, Any]]


@pytest.fixture
def owner(db: None) -> Iterator[CursorWrapper]:
    """The owner's cursor; all rolled back."""
    with connections["owner"].cursor() as cursor:
        yield cursor


def functions(cursor: CursorWrapper) -> Functions:
    """The functions of schemas app and public, by name."""
    cursor.execute(FUNCTIONS, [["app", "public"]])
    rows = cursor.fetchall()
    assert len({name for name, _ in rows}) == len(rows), "two functions of one name"
    return dict(rows)


def load_files(cursor: CursorWrapper) -> Functions:
    """What the files alone make, with the migrated functions put aside."""
    cursor.execute(PUT_ASIDE)
    for path in FILES:
        cursor.execute(path.read_text(), None)
    return functions(cursor)


def made_by_triggers() -> set[str]:
    """The functions that declared triggers bring along: their text stands on the model."""
    return {
        trigger.get_pgid(model)
        for model, trigger in pgtrigger.registered()
        if getattr(trigger, "sql_class", None) is TriggerSql
    }


def test_functions_of_the_database_are_those_of_the_files(owner: CursorWrapper) -> None:
    migrated = functions(owner)
    migrated = {name: migrated[name] for name in migrated.keys() - made_by_triggers()}
    files = load_files(owner)
    assert migrated.keys() == files.keys()
    for name, function in files.items():
        assert migrated[name] == function, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_says_who_calls_its_one_function(path: Path) -> None:
    text = path.read_text()
    [function] = NAME.findall(text)
    assert function.partition(".")[2] == path.stem
    assert text.startswith("-- Called by ")


@pytest.mark.parametrize(
    ("change", "function"),
    [
        (
            "CREATE OR REPLACE FUNCTION app.call_progress(status text, provider_status text)"
            " RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1'",
            "call_progress",
        ),
        ("GRANT EXECUTE ON FUNCTION app.requeue_line TO PUBLIC", "requeue_line"),
        ("ALTER FUNCTION app.top_calls SET search_path = public", "top_calls"),
        ("ALTER FUNCTION app.find_api_key SECURITY INVOKER", "find_api_key"),
        ("ALTER FUNCTION app.phone OWNER TO replytics_staff", "phone"),
        ("CREATE FUNCTION app.unknown() RETURNS integer LANGUAGE sql AS 'SELECT 1'", "unknown"),
    ],
)
def test_difference_is_found(owner: CursorWrapper, change: str, function: str) -> None:
    owner.execute("GRANT CREATE ON SCHEMA app TO replytics_staff")
    owner.execute(change)
    changed = functions(owner)
    files = load_files(owner)
    ours = changed.keys() - made_by_triggers()
    assert {name for name in ours | files.keys() if changed.get(name) != files.get(name)} == {
        function
    }
