"""Each number of the statistics in the admin leads to the calls that it counts."""

import html
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from calls.archival.dropping import drop_month, months_before
from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import listed
from tests.factories import archive, make_call, make_line

# Half past eleven in the evening of 30 June in New York, and on July 1st in UTC.
EVENING = datetime(2026, 7, 1, 3, 30, tzinfo=UTC)
DAYS, HOURS = "/admin/analytics/dailycallstatsrow/", "/admin/analytics/callanalyticsrow/"


def roll_up() -> None:
    call_command("roll_up_calls", stdout=StringIO())


@pytest.fixture
def counted(line: PhoneNumber, other_line: PhoneNumber) -> PhoneNumber:
    """Calls of one hour: ringing, answered, completed, failed, and one of the day before."""
    with all_tenants("test"):
        PhoneNumber.objects.update(timezone="America/New_York")
    for owner in (line, other_line):
        for status in ("ringing", "answered", "completed", "completed", "failed"):
            make_call(owner, created_at=EVENING, status=status)
    make_call(line, created_at=EVENING.replace(hour=4))
    make_call(line, created_at=EVENING.replace(hour=2, minute=59))
    roll_up()
    return line


def links(page: str) -> list[tuple[str, str]]:
    """Address and text of the links to lists of calls."""
    found = re.findall(r'<a href="(/admin/calls/call(?:archive)?/\?[^"]*)">(.*?)</a>', page)
    return [(html.unescape(address), text) for address, text in found]


def numbers(client: Client, url: str, key: str) -> list[tuple[str, int]]:
    """What each link of a row says, and how many calls its list has."""
    return [
        (text, len(listed(client, address).result_list))
        for address, text in links(client.get(f"{url}{key}/change/").content.decode())
    ]


def test_numbers_of_a_day_and_an_hour_are_their_calls(
    counted: PhoneNumber, back_office: Client
) -> None:
    day = numbers(back_office, DAYS, "pn_5Fbakery~2026-06-30")
    assert day == [
        ("6", 6),
        ("4", 4),
        ("3", 3),
        ("2", 2),
        ("4", 4),
        ("1:00", 4),
        ("1", 6),
    ]
    hour = numbers(back_office, HOURS, "pn_5Fbakery~2026-07-01T03")
    assert hour == [("5", 5), ("3", 3), ("2", 2), ("2", 2), ("3", 3), ("1", 5)]


def test_every_row_of_a_list_has_the_same_links(counted: PhoneNumber, back_office: Client) -> None:
    for url, key in ((DAYS, "pn_5Fbakery~2026-06-30"), (HOURS, "pn_5Fbakery~2026-07-01T03")):
        of_list = links(back_office.get(url).content.decode())
        of_row = links(back_office.get(f"{url}{key}/change/").content.decode())
        assert of_row
        assert {*of_row} <= {*of_list}


def test_archived_calls_are_in_the_list_of_the_archive(
    counted: PhoneNumber, back_office: Client
) -> None:
    key = "pn_5Fbakery~2026-06-30"
    with all_tenants("test"):
        of_day = Call.objects.filter(phone=counted, created_at__lt=EVENING.replace(minute=40))
        completed = list(of_day.filter(status="completed"))
    for call in completed:
        archive(call)
    roll_up()
    both = numbers(back_office, DAYS, key)
    assert both[:6] == [
        ("6", 3),
        ("archive", 3),
        ("4", 1),
        ("archive", 3),
        ("3", 0),
        ("archive", 3),
    ]
    with all_tenants("test"):
        Call.objects.exclude(status="completed").filter(phone=counted).delete()
    roll_up()
    assert numbers(back_office, DAYS, key)[:2] == [("3", 3), ("3", 3)]


def test_a_dropped_month_has_numbers_without_links(
    line: PhoneNumber, back_office: Client, tmp_path: Path
) -> None:
    june = datetime(2023, 6, 1, 10, tzinfo=UTC)
    archive(make_call(line, created_at=june))
    roll_up()
    with all_tenants("test"):
        [month] = months_before(datetime(2023, 7, 1, tzinfo=UTC))
    drop_month(month, directory=tmp_path, started_by="test")
    for url in (DAYS, HOURS):
        page = back_office.get(url).content.decode()
        assert links(page) == []
        assert "final: its month was dropped" in page


def test_a_row_that_waits_for_the_roll_up_says_so(
    counted: PhoneNumber, back_office: Client
) -> None:
    waits = "waiting for the roll-up"
    for url in (DAYS, HOURS):
        assert waits not in back_office.get(url).content.decode()
    make_call(counted, created_at=EVENING)
    for url in (DAYS, HOURS):
        assert back_office.get(url).content.decode().count(waits) == 1


def test_numbers_of_the_summary_are_its_calls(committed: None) -> None:
    line = make_line(id="pn_bakery")
    for status in ("completed", "failed", "completed"):
        make_call(line, created_at=timezone.now(), status=status)
    call_command("refresh_summary", stdout=StringIO())
    make_call(line)
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="correct horse"))
    found = numbers(client, "/admin/analytics/phoneperformance/", "pn_5Fbakery")
    assert found == [("3", 3), ("1:00", 3), ("1", 3), ("66.7%", 2)]


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"until": "2026-13-01T00:00:00Z"},
        {"reached": "nothing"},
        {"since": "\x00"},
    ],
)
def test_nonsense_shows_no_calls_and_says_why(
    counted: PhoneNumber, back_office: Client, query: dict[str, str]
) -> None:
    for url in ("/admin/calls/call/", "/admin/calls/callarchive/"):
        page = back_office.get(url, query)
        assert page.status_code == 200
        assert "Counted calls:" in page.content.decode()
        assert not listed(back_office, url, query).result_list


def test_beginnings_and_ends_alone_narrow_too(counted: PhoneNumber, back_office: Client) -> None:
    url = "/admin/calls/call/"
    for query, count in (
        ({"since": "2026-07-01T04:00:00Z"}, 1),
        ({"until": "2026-07-01T03:30:00Z"}, 1),
        ({"reached": "completed", "until": "2026-07-01T03:30:00.000001Z"}, 5),
        ({"since": "0001-01-01T00:00:00+14:00"}, 12),
        ({"until": "9999-12-31T23:59:59-14:00"}, 12),
    ):
        assert len(listed(back_office, url, query).result_list) == count
