"""A delivery that waited for whoever archived, deleted, named or confirmed its call meanwhile."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.api.conftest import make_key, put
from tests.factories import ARCHIVE, make_call, make_line
from tests.outages import WAITS_FOR_US, until_taken

MARCH = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture
def line(committed: None) -> PhoneNumber:
    return make_line()


def answer_after(move: Callable[[Any], None], key: str, sid: str) -> int:
    """The status of a delivery that began after the move and ended after its commit."""
    statuses: list[int] = []

    def deliver() -> None:
        try:
            statuses.append(until_taken(lambda: put(key, sid, {"transcript": "Late words."})))
        finally:
            connection.close()

    thread = threading.Thread(target=deliver)
    with all_tenants("test"), transaction.atomic(), connection.cursor() as cursor:
        move(cursor)
        thread.start()
        while not cursor.execute(WAITS_FOR_US).fetchone():
            assert thread.is_alive()
    thread.join()
    return statuses[0]


def test_an_archived_call_is_a_conflict(line: PhoneNumber) -> None:
    call = make_call(line, created_at=MARCH)

    def archive(cursor: Any) -> None:
        cursor.execute("SELECT app.create_archive_partitions(%s, %s)", [MARCH, MARCH])
        cursor.execute(ARCHIVE, {"id": call.pk})

    assert answer_after(archive, make_key(line), call.call_sid) == 409


def test_a_deleted_call_is_made_again(line: PhoneNumber) -> None:
    call = make_call(line)

    def delete(cursor: Any) -> None:
        cursor.execute("DELETE FROM calls")

    assert answer_after(delete, make_key(line), call.call_sid) == 201
    with tenant(line.pk):
        assert Call.objects.get().transcript == "Late words."


def test_a_leg_is_a_conflict(line: PhoneNumber) -> None:
    parent, leg = make_call(line), make_call(line)

    def name_parent(cursor: Any) -> None:
        cursor.execute("DELETE FROM calls WHERE id = %s", [leg.pk])
        cursor.execute(
            "INSERT INTO call_legs (phone_id, call_sid, leg_sid, status)"
            " VALUES (%s, %s, %s, 'completed')",
            [line.pk, parent.call_sid, leg.call_sid],
        )

    assert answer_after(name_parent, make_key(line), leg.call_sid) == 409


def test_a_confirmed_call_gets_what_was_delivered(line: PhoneNumber) -> None:
    key = make_key(line)
    put(key, "X1", {"ai_summary": "First."})

    def confirm(cursor: Any) -> None:
        cursor.execute("UPDATE calls SET call_sid = 'X1'")

    assert answer_after(confirm, key, "X1") == 200
    with tenant(line.pk):
        [call] = Call.objects.all()
    assert (call.call_sid, call.ai_summary, call.transcript) == ("X1", "First.", "Late words.")
