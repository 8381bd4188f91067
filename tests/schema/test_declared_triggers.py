"""Every trigger of the database stands on a model, and does what it says there."""

import pgtrigger
import pytest
from django.db import connections

pytestmark = pytest.mark.django_db(databases=["owner"])

# pgtrigger keeps a hash of the declaration as the trigger's comment. A partition's triggers follow
# those of its parent (tgparentid), or are made with it (TRUNCATE).
TRIGGERS = """
SELECT tgrelid::regclass::text, tgname, coalesce(obj_description(oid, 'pg_trigger'), 'no hash')
FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0
AND tgrelid NOT IN (SELECT inhrelid FROM pg_inherits)
AND tgname NOT LIKE 'procrastinate%%'  -- the job queue's own
"""


def triggers() -> dict[tuple[str, str], str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(TRIGGERS)
        return {(table, name): description for table, name, description in cursor.fetchall()}


def declared() -> dict[tuple[str, str], str]:
    return {
        (model._meta.db_table, trigger.get_pgid(model)): trigger.compile(model).hash
        for model, trigger in pgtrigger.registered()
    }


def test_triggers_are_those_of_the_models() -> None:
    assert triggers() == declared()


@pytest.mark.parametrize(
    ("change", "table", "name"),
    [
        ("DROP TRIGGER calls_queue_inserted ON calls", "calls", "calls_queue_inserted"),
        (
            "CREATE TRIGGER another AFTER INSERT ON calls"
            " FOR EACH ROW EXECUTE FUNCTION app.queue_updated_call()",
            "calls",
            "another",
        ),
        (
            "CREATE OR REPLACE TRIGGER phone_numbers_requeue AFTER UPDATE ON phone_numbers"
            " FOR EACH ROW EXECUTE FUNCTION app.requeue_line();"
            " COMMENT ON TRIGGER phone_numbers_requeue ON phone_numbers IS 'another hash'",
            "phone_numbers",
            "phone_numbers_requeue",
        ),
    ],
)
def test_difference_is_found(change: str, table: str, name: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(change)
    found, expected = triggers(), declared()
    assert {
        key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)
    } == {(table, name)}
