"""Who held which number when, whoever changes it."""

from datetime import datetime

import pytest
from django.db import IntegrityError, connection, transaction

from tenancy import all_tenants, no_tenant, tenant
from tenancy.readonly import ReadOnlyTable
from tenants.models import NumberAssignment, PhoneNumber
from tenants.numbers import one_form
from tests.factories import hold_numbers_for_long, make_line

OTHER = "+14155550999"


def change(line: PhoneNumber, number: str) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number=number)


@pytest.fixture(autouse=True)
def had_for_long(line: PhoneNumber, other_line: PhoneNumber) -> None:
    """A number that is changed at once is a mistake."""
    hold_numbers_for_long()


def holders(number: str) -> list[tuple[str | None, datetime | None, datetime | None]]:
    with all_tenants("test"):
        rows = NumberAssignment.objects.filter(number=number).order_by("id")
        return list(rows.values_list("phone_id", "since", "until"))


def test_a_number_that_nobody_held_was_always_its_first_holders(line: PhoneNumber) -> None:
    assert holders(line.number) == [(line.pk, None, None)]


def test_a_number_that_moves_has_one_holder_at_each_moment(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    number = line.number
    change(line, OTHER)
    change(other_line, number)
    (first, since, moved), (second, again, until) = holders(number)
    assert (first, second) == (line.pk, other_line.pk)
    assert since is None
    assert until is None
    assert moved is not None
    assert again is not None
    assert moved <= again


def test_another_change_of_a_line_is_no_change_of_its_number(line: PhoneNumber) -> None:
    with tenant(line.pk):
        PhoneNumber.objects.update(business_name="New name", number=line.number)
    assert holders(line.number) == [(line.pk, None, None)]


def test_the_number_of_a_deleted_line_was_somebodys(line: PhoneNumber) -> None:
    with all_tenants("test"):
        line.delete()
    heir = make_line(number="+14155550101")
    (nobody, since, until), (owner, again, end) = holders("+14155550101")
    assert (nobody, since, owner, end) == (None, None, heir.pk, None)
    assert until is not None
    assert again is not None
    assert until <= again


def test_numbers_that_change_places_in_one_transaction(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    """A number that was held for no time leaves no row with an end before its beginning."""
    mine, theirs = line.number, other_line.number
    with transaction.atomic():
        change(line, OTHER)
        change(other_line, mine)
        change(line, theirs)
        change(line, OTHER)
        change(line, theirs)
    with all_tenants("test"):
        current = NumberAssignment.objects.filter(until__isnull=True)
        assert dict(current.values_list("number", "phone_id")) == {
            mine: other_line.pk,
            theirs: line.pk,
        }


def test_a_line_sees_its_own_numbers_and_writes_none(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    with tenant(line.pk):
        assert [each.number for each in NumberAssignment.objects.all()] == [line.number]
        with pytest.raises(ReadOnlyTable):
            NumberAssignment.objects.all().delete()


def test_raw_sql_cannot_give_a_number_two_holders(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    with all_tenants("test"), connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute(
            "INSERT INTO number_assignments (number, phone_id) VALUES (%s, %s)",
            [line.number, other_line.pk],
        )


NUMBERS = [
    f"+{digits}"
    for digits in (
        "5215512345678", "525512345678", "52155123456", "521551234567890", "551187654321",
        "5511987654321", "551177654321", "551171654321", "551161654321", "551131654321",
        "550187654321", "55118765432", "14155550101", "4930123456", "5", "5511776543210",
    )
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_the_database_and_the_program_agree_on_the_one_form(number: str, db: None) -> None:
    with connection.cursor() as cursor, no_tenant():
        cursor.execute("SELECT app.one_number(%s)", [number])
        assert cursor.fetchone() == (one_form(number),)
