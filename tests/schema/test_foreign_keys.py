"""Every line and every call takes what hangs on it along, in the database and in one statement."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenancy import tenant
from tenants.models import PhoneNumber
from tests.factories import make_call
from tests.schema.rawsql import ROWS, fetch, insert, insert_refused_by

pytestmark = pytest.mark.usefixtures("staff_scope")

# Every foreign key to a line or a call, those of the archive's partitions too.
FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS table, confdeltype = 'c' AS cascades, EXISTS (
    SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1]
    AND cardinality(conkey) = 1 AND indisvalid AND indpred IS NULL
) AS indexed
FROM pg_constraint
WHERE contype = 'f' AND confrelid IN ('phone_numbers'::regclass, 'calls'::regclass)
"""
OF_A_LINE = [table for table in ROWS if table not in {"phone_numbers", "call_metadata"}]


@pytest.fixture
def full_line(line: PhoneNumber) -> PhoneNumber:
    """A line with a row in every table."""
    fetch("SELECT app.create_archive_partitions(now(), now())")
    for table in OF_A_LINE:
        insert(table, **ROWS[table])
    insert("call_metadata", call_id=make_call(line).id)
    return line


def counts() -> dict[str, int]:
    return {table: fetch(f"SELECT count(*) FROM {table}")[0]["count"] for table in ROWS}


@pytest.mark.parametrize("table", OF_A_LINE)
def test_row_of_an_unknown_line_is_refused(db: None, table: str) -> None:
    fetch("SELECT app.create_archive_partitions(now(), now())")
    row = ROWS[table] | {"phone_id": "pn_nobody"}
    assert insert_refused_by(table, **row) == f"{table}_phone_id_fkey"


def test_metadata_of_an_unknown_call_is_refused(line: PhoneNumber) -> None:
    refused_by = insert_refused_by("call_metadata", call_id=uuid.uuid4(), phone_id=line.id)
    assert refused_by == "call_metadata_follows_call"


def test_deleting_a_line_in_sql_deletes_all_of_it(full_line: PhoneNumber) -> None:
    assert all(counts().values())
    fetch("DELETE FROM phone_numbers WHERE id = %s", full_line.id)
    assert not any(counts().values())


def test_deleting_a_line_in_the_orm_is_one_statement(full_line: PhoneNumber) -> None:
    with CaptureQueriesContext(connection) as captured:
        full_line.delete()
    [statement] = captured.captured_queries
    assert 'DELETE FROM "phone_numbers" WHERE' in statement["sql"]
    assert not any(counts().values())


def test_deleting_lines_by_query_is_one_statement(full_line: PhoneNumber) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert PhoneNumber.objects.filter(id=full_line.id).delete()[0] == 1
    assert len(captured) == 1
    assert not any(counts().values())


def test_deleting_a_line_leaves_the_others(
    full_line: PhoneNumber, other_line: PhoneNumber
) -> None:
    kept = make_call(other_line, metadata={"tags": ["kept"]})
    with tenant(full_line.id):
        full_line.delete()
    assert counts() == dict.fromkeys(ROWS, 0) | dict.fromkeys(
        ("phone_numbers", "calls", "call_metadata"), 1
    )
    assert fetch("SELECT call_id FROM call_metadata") == [{"call_id": kept.id}]


def test_deleting_a_call_deletes_its_metadata_alone(line: PhoneNumber) -> None:
    kept = make_call(line, metadata={})
    doomed = make_call(line, metadata={})
    fetch("DELETE FROM calls WHERE id = %s", doomed.id)
    assert fetch("SELECT call_id FROM call_metadata") == [{"call_id": kept.id}]


def test_every_foreign_key_cascades_and_has_an_index(db: None) -> None:
    fetch("SELECT app.create_archive_partitions(now(), now())")
    keys = fetch(FOREIGN_KEYS)
    assert {key["table"] for key in keys} >= {*OF_A_LINE, "call_metadata"}
    assert [key for key in keys if not (key["cascades"] and key["indexed"])] == []
