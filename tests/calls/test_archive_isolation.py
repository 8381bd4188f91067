"""A tenant sees its own archive alone, and changes none of it."""

import pytest
from django.db import ProgrammingError, connection, transaction

from calls.archival.models import ArchiveRun
from calls.archival.moving import archive_calls
from calls.models import CallArchive
from tenancy import NoTenantActive, tenant
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, make_old_calls, query

UNPROTECTED = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'calls_archive'::regclass AND (
    NOT c.relrowsecurity OR NOT c.relforcerowsecurity
    OR (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) <> 2
    OR EXISTS (SELECT FROM aclexplode(c.relacl) WHERE grantee <> c.relowner)
)
"""


@pytest.fixture
def archived(line: PhoneNumber, other_line: PhoneNumber) -> None:
    make_old_calls(line, 3)
    make_old_calls(other_line, 4)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    archive_calls(cut_off=CUT_OFF, phone_id=line.pk, started_by="test")


def test_a_tenant_sees_its_archive_alone(line: PhoneNumber, archived: None) -> None:
    with tenant(line.pk), connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT phone_id FROM calls_archive")
        assert cursor.fetchall() == [(line.pk,)]
        assert CallArchive.objects.count() == 3
        assert [run.phone_id for run in ArchiveRun.objects.all()] == [line.pk]
    with pytest.raises(NoTenantActive):
        CallArchive.objects.count()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM calls_archive",
        "UPDATE calls_archive SET legal_hold = false",
        "INSERT INTO calls_archive SELECT * FROM calls_archive",
        "SELECT * FROM calls_archive_2023_06",
        "SELECT * FROM app.archived_call_sids",
        "DELETE FROM archive_runs",
        "SELECT app.drop_archive_partition('2023-06-01', 7, 0)",
        "SELECT app.create_archive_partitions('2023-06-01', '2023-06-01')",
    ],
)
def test_a_tenant_changes_nothing_of_it(line: PhoneNumber, archived: None, statement: str) -> None:
    with (
        tenant(line.pk),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_every_partition_is_protected(archived: None) -> None:
    assert query(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'calls_archive'::regclass"
    ) != [(0,)]
    assert query(UNPROTECTED) == []
