"""What the database holds of a call, whoever writes it."""

import pytest
from django.db import IntegrityError, connection, transaction

from calls.models import Call
from tenants.models import PhoneNumber
from tenants.scoping import tenant
from tests.factories import make_call


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("answered", "ringing"),
        ("completed", "answered"),
        ("completed", "failed"),
        ("failed", "ringing"),
    ],
)
def test_status_never_goes_back(line: PhoneNumber, before: str, after: str) -> None:
    call = make_call(line, status=before)
    with tenant(line.id), pytest.raises(IntegrityError, match="only moves forward"):
        Call.objects.filter(pk=call.pk).update(status=after)


@pytest.mark.parametrize(
    ("before", "after"),
    [("ringing", "answered"), ("ringing", "failed"), ("answered", "completed")],
)
def test_status_moves_forward(line: PhoneNumber, before: str, after: str) -> None:
    call = make_call(line, status=before)
    with tenant(line.id):
        assert Call.objects.filter(pk=call.pk).update(status=after) == 1


def test_updated_at_is_stamped_for_raw_sql(line: PhoneNumber) -> None:
    call = make_call(line, updated_at="2020-01-01T00:00:00Z")
    with tenant(line.id), connection.cursor() as cursor:
        cursor.execute("UPDATE calls SET transcript = 'hello' WHERE id = %s", [call.pk])
        cursor.execute("SELECT updated_at = now() FROM calls WHERE id = %s", [call.pk])
        assert cursor.fetchone() == (True,)


def test_a_call_stays_with_its_line(
    line: PhoneNumber, other_line: PhoneNumber, staff_scope: None
) -> None:
    call = make_call(line)
    with pytest.raises(IntegrityError, match="phone_id cannot change"), transaction.atomic():
        Call.objects.filter(pk=call.pk).update(phone=other_line)
