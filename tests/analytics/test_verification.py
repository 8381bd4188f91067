"""verify_stats finds every number that is not that of its calls, and no other."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.models import StatsVerification
from analytics.rollups import roll_up
from tenants.models import PhoneNumber
from tenants.scoping import all_tenants
from tests.factories import make_call


@pytest.fixture
def rolled_up(line: PhoneNumber, other_line: PhoneNumber) -> None:
    moment = datetime.now(UTC)
    for owner in (line, other_line):
        for days in (0, 1, 40):
            make_call(
                owner,
                created_at=moment - timedelta(days=days),
                updated_at=moment - timedelta(days=1),
            )
    with all_tenants("test"):
        roll_up()


def test_true_numbers_pass(rolled_up: None) -> None:
    out = StringIO()
    call_command("verify_stats", stdout=out)
    assert out.getvalue() == "Every number equals its calls.\n"
    with all_tenants("test"):
        assert StatsVerification.objects.get().lines == 2


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        (
            "UPDATE call_analytics SET total_calls = total_calls + 1 WHERE phone_id = 'pn_bakery'",
            3,
        ),
        ("DELETE FROM call_analytics WHERE phone_id = 'pn_bakery'", 3),
        ("UPDATE daily_call_stats SET average_duration = 1 WHERE phone_id = 'pn_garage'", 3),
        ("INSERT INTO daily_call_stats (phone_id, date) VALUES ('pn_bakery', '2020-01-01')", 1),
    ],
)
def test_a_false_number_is_named(rolled_up: None, tampering: str, found: int) -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(tampering)
    out = StringIO()
    with pytest.raises(CommandError, match=f"^{found} differences"):
        call_command("verify_stats", stdout=out)
    assert len(out.getvalue().splitlines()) == found
    with all_tenants("test"):
        assert StatsVerification.objects.get().difference_count == found


def test_what_waits_in_the_queue_is_no_difference(rolled_up: None, line: PhoneNumber) -> None:
    make_call(line)
    call_command("verify_stats", stdout=StringIO())


def test_sample_must_be_positive(db: None) -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("verify_stats", "--sample", "0")
