"""A call_sid is live or archived, never both, whoever writes."""

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction

from calls.archival.moving import archive_calls
from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.archive import (
    CUT_OFF,
    counts,
    make_old_calls,
    query,
    wait_for_a_waiting_writer,
)
from tests.factories import make_call, make_line

UPSERT = """
INSERT INTO calls (phone_id, caller_number, call_sid, status)
VALUES (%s, '+14155550000', %s, 'ringing')
ON CONFLICT (call_sid) DO UPDATE SET status = calls.status
"""


@pytest.fixture
def archived_sid(line: PhoneNumber) -> str:
    make_old_calls(line, 1)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    return f"{line.pk}1"


def test_a_late_event_does_not_make_an_archived_call_live(
    line: PhoneNumber, archived_sid: str
) -> None:
    with (
        tenant(line.pk),
        pytest.raises(IntegrityError, match="was archived") as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(UPSERT, [line.pk, archived_sid])
    cause: Any = refused.value.__cause__
    assert cause.diag.constraint_name == "calls_sid_not_archived"
    assert counts()["calls"] == 0


def test_another_line_cannot_take_an_archived_sid(
    other_line: PhoneNumber, archived_sid: str
) -> None:
    with pytest.raises(IntegrityError, match="was archived"), transaction.atomic():
        make_call(other_line, call_sid=archived_sid)


def test_a_live_call_cannot_be_given_an_archived_sid(line: PhoneNumber, archived_sid: str) -> None:
    call = make_call(line)
    with tenant(line.pk), pytest.raises(IntegrityError, match="was archived"):
        Call.objects.filter(pk=call.pk).update(call_sid=archived_sid)


def test_a_live_call_cannot_be_archived_a_second_time(line: PhoneNumber) -> None:
    make_old_calls(line, 1)
    query("SELECT app.create_archive_partitions('2023-06-01', '2023-06-01')")
    with pytest.raises(IntegrityError, match="live and archived at once"):
        query("INSERT INTO calls_archive SELECT * FROM calls")


def test_the_archive_holds_a_sid_once(line: PhoneNumber, archived_sid: str) -> None:
    query("SELECT app.create_archive_partitions('2022-01-01', '2022-01-01')")
    with pytest.raises(IntegrityError):
        query(
            "INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status, created_at)"
            " SELECT gen_random_uuid(), phone_id, '', call_sid, status, '2022-01-05'"
            " FROM calls_archive"
        )


def test_the_sid_of_an_archived_call_is_fixed(archived_sid: str) -> None:
    with pytest.raises(IntegrityError, match="cannot change"):
        query("UPDATE calls_archive SET call_sid = 'other'")


def test_a_deleted_line_frees_its_sids(
    line: PhoneNumber, other_line: PhoneNumber, archived_sid: str
) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).delete()
    assert counts()["app.archived_call_sids"] == 0
    make_call(other_line, call_sid=archived_sid)


def test_an_insert_that_waits_for_the_archiver_is_refused(committed: None) -> None:
    """Its own snapshot is older than the archiver's commit; the trigger's is not."""
    line = make_line()
    make_old_calls(line, 1)
    query("SELECT app.create_archive_partitions('2023-06-01', '2023-06-01')")
    outcome: list[str] = []

    def insert() -> None:
        try:
            with tenant(line.pk), connection.cursor() as cursor:
                cursor.execute(UPSERT, [line.pk, f"{line.pk}1"])
                outcome.append("inserted")
        except IntegrityError as error:
            outcome.append(str(error))
        finally:
            connections.close_all()

    inserting = threading.Thread(target=insert)
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM calls RETURNING *)"
            " INSERT INTO calls_archive SELECT * FROM gone"
        )
        inserting.start()
        wait_for_a_waiting_writer()
    inserting.join(timeout=30)
    assert "was archived" in outcome[0]
    assert counts()["calls"] == 0
