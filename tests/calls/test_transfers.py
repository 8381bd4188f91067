"""A transfer target fails when nobody answered the last dials, of live and archived calls."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from calls.transfers import failing_targets
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.factories import archive, make_call, make_line

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DESK, SMITH = "+14155550123", "+14155550124"
INSERT_LEG = """
INSERT INTO call_legs (phone_id, call_sid, leg_sid, "to", status, started_at)
VALUES (%s, %s, 'leg of ' || %s, %s, %s, %s)
"""


@pytest.fixture
def line(db: None) -> PhoneNumber:
    return make_line()


def dial(line: PhoneNumber, to: str, status: str, at: datetime, *, archived: bool = False) -> None:
    """A call of which one leg was dialed."""
    call = make_call(line, created_at=at)
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(INSERT_LEG, [line.pk, call.call_sid, call.call_sid, to, status, None])
    if archived:
        archive(call)


def failing(line: PhoneNumber, **options: int) -> list[tuple[str, int]]:
    with tenant(line.pk):
        found = failing_targets(line.pk, now=NOW, **options)
        return [(target.to, target.dials) for target in found]


def test_a_target_whose_last_five_dials_failed(line: PhoneNumber) -> None:
    for days, status in enumerate(["busy", "no-answer", "failed", "busy", "busy"], 1):
        dial(line, DESK, status, NOW - days * DAY, archived=days > 3)
        dial(line, SMITH, status if days < 5 else "completed", NOW - days * DAY)
    with tenant(line.pk):
        [target] = failing_targets(line.pk, now=NOW)
    assert (target.to, target.dials) == (DESK, 5)
    assert (target.since, target.latest) == (NOW - 5 * DAY, NOW - DAY)
    assert failing(line, min_failures=4) == [(DESK, 5), (SMITH, 4)]


def test_only_what_failed_since_the_last_answer_counts(line: PhoneNumber) -> None:
    for days in range(1, 5):
        dial(line, DESK, "busy", NOW - days * DAY)
    dial(line, DESK, "completed", NOW - 5 * DAY, archived=True)
    for days in range(6, 12):
        dial(line, DESK, "busy", NOW - days * DAY)
    assert failing(line) == []
    dial(line, DESK, "failed", NOW - DAY / 2)
    assert failing(line) == [(DESK, 5)]


def test_what_tells_nothing_is_left_out(line: PhoneNumber) -> None:
    """Canceled by the caller, still ringing, or too long ago."""
    for days in range(1, 5):
        dial(line, DESK, "busy", NOW - days * DAY)
    dial(line, DESK, "canceled", NOW - DAY / 2)
    dial(line, DESK, "ringing", NOW - DAY / 3)
    dial(line, DESK, "busy", NOW - 91 * DAY)
    assert failing(line) == []


def test_both_forms_of_a_number_are_one_target(line: PhoneNumber) -> None:
    for days in range(1, 6):
        dial(line, "+5215512345678" if days % 2 else "+525512345678", "busy", NOW - days * DAY)
    assert failing(line) == [("+525512345678", 5)]


def test_another_lines_dials_do_not_count(line: PhoneNumber) -> None:
    other = make_line()
    for days in range(1, 6):
        dial(other, DESK, "busy", NOW - days * DAY)
        if days < 5:
            dial(line, DESK, "busy", NOW - days * DAY)
    assert failing(line) == []
    assert failing(other) == [(DESK, 5)]
