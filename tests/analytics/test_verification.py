"""verify_stats finds every number that is not that of its calls, and no other."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from analytics.models import StatsVerification
from analytics.rollups import roll_up
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
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
    assert out.getvalue() == "All statistics match the calls.\n"
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


def test_a_sample_claims_nothing_of_the_other_lines(rolled_up: None, back_office: Client) -> None:
    out = StringIO()
    call_command("verify_stats", "--sample", "1", stdout=out)
    call_command("verify_stats", "--sample", "5", stdout=out)
    assert out.getvalue().splitlines() == [
        "The statistics of 1 of 2 lines match their calls.",
        "All statistics match the calls.",
    ]
    every, sample = listed(back_office, "/admin/analytics/statsverification/").result_list
    assert (every.is_sample, sample.is_sample) == (False, True)
    page = back_office.get("/admin/analytics/statsverification/").content.decode()
    assert "1, chosen at random" in page
    assert "2, all" in page


def test_sample_must_be_positive(db: None) -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("verify_stats", "--sample", "0")


def test_differences_are_told_line_by_line_in_the_admin(
    rolled_up: None, line: PhoneNumber, back_office: Client
) -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE call_analytics SET total_calls = 9 WHERE phone_id = 'pn_bakery';"
            "INSERT INTO daily_call_stats (phone_id, date) VALUES ('pn_bakery', '2020-01-01')"
        )
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_stats", stdout=out)
    url = "/admin/analytics/statsverification/"
    [run] = listed(back_office, url).result_list
    page = back_office.get(f"{url}{run.pk}/change/").content.decode()
    told = out.getvalue().splitlines()
    assert len(told) == 4
    assert "calls stored 9 but counted 1" in told[0]
    assert told[3].startswith("pn_bakery day 2020-01-01: stored only: calls 0, answered 0")
    for difference in told:
        assert f"<li>{difference}</li>" in page


def test_verifications_are_of_all_lines_and_so_not_shown_inside_one(
    rolled_up: None, line: PhoneNumber, back_office: Client
) -> None:
    call_command("verify_stats", stdout=StringIO())
    url = "/admin/analytics/statsverification/"
    [run] = listed(back_office, url).result_list
    assert (
        "None: the statistics of these"
        in back_office.get(f"{url}{run.pk}/change/").content.decode()
    )
    assert url in back_office.get("/admin/").content.decode()
    pick(back_office, line)
    assert back_office.get(url).status_code == 403
    assert back_office.get(f"{url}{run.pk}/change/").status_code in (302, 403)
    assert url not in back_office.get("/admin/").content.decode()
