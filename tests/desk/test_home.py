"""The home page: its numbers are those of the rows, for whom they are and where they lead."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.overview import Totals, quiet_lines, total_of_range
from analytics.queries import Sums, daily_sums
from analytics.rollups import roll_up
from calls.archival.models import ArchiveRun
from calls.intake.models import CallEvent
from calls.models import Call
from desk import cards, home
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.factories import archive, make_call

NOON = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def shown(client: Client) -> dict[str, Any]:
    response: Any = client.get("/admin/")
    assert response.status_code == 200
    context: dict[str, Any] = response.context_data
    return context


def values(context: dict[str, Any]) -> dict[str, str]:
    return {card.title: card.value for card in context["cards"]}


@pytest.fixture
def day(line: PhoneNumber, other_line: PhoneNumber) -> list[Call]:
    """Two lines' calls of one day, one of them archived, and one of the day before."""
    made = [
        make_call(line, created_at=NOON - HOUR, duration=90),
        make_call(line, created_at=NOON, status="failed", duration=0),
        make_call(other_line, created_at=NOON, status="ringing", duration=0),
        make_call(other_line, created_at=NOON - 2 * HOUR, duration=30),
        make_call(line, created_at=NOON - DAY),
    ]
    archive(made[3])
    return made


@pytest.mark.parametrize("rolled_up", [False, True, "in between"])
def test_totals_are_those_of_the_calls_whenever_they_are_rolled_up(
    day: list[Call], line: PhoneNumber, rolled_up: object
) -> None:
    with all_tenants("test"):
        if rolled_up:
            roll_up()
    if rolled_up == "in between":
        extra = make_call(line, created_at=NOON - HOUR, duration=1)
        with all_tenants("test"):
            Call.objects.filter(pk=extra.pk).delete()
    midnight = NOON.replace(hour=0, minute=0)
    both = Totals(4, 2, 2, 1, 3, 120, 1)
    with all_tenants("test"):
        assert total_of_range(since=midnight, until=midnight + DAY) == both
        assert both.failed_calls == 1
        days = daily_sums(first=date(2026, 5, 3), last=date(2026, 5, 4))
        assert {day: totals.total_calls for day, totals in days.items()} == {
            date(2026, 5, 3): 1,
            date(2026, 5, 4): 4,
        }
    with tenant(line.pk):
        assert total_of_range(since=midnight, until=midnight + DAY) == Totals(2, 1, 1, 0, 2, 90, 0)
        assert daily_sums(first=date(2026, 5, 4), last=date(2026, 5, 4)) == {
            date(2026, 5, 4): Sums(2, 1, 1, 0, 2, 90)
        }


def test_days_are_those_of_each_lines_clock(line: PhoneNumber, other_line: PhoneNumber) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone="Pacific/Apia")  # UTC+13
    for owner in (line, other_line):
        make_call(owner, created_at=NOON)
    with all_tenants("test"):
        for _ in range(2):
            days = daily_sums(first=date(2026, 5, 4), last=date(2026, 5, 5))
            assert [totals.total_calls for totals in days.values()] == [1, 1]
            roll_up()


def test_calls_of_today_stand_beside_those_of_the_same_weekday(day: list[Call]) -> None:
    with all_tenants("test"):
        [calls, failed] = cards.calls_today(NOON + timedelta(minutes=1))
        assert (calls.value, calls.note) == ("4", "0 by this time last Monday (UTC)")
        assert (failed.value, failed.note) == ("25.0%", "1 of 4 calls")
        # 12:29 is the minute before two of them began.
        [later, _] = cards.calls_today(NOON + timedelta(days=7, minutes=-1))
        assert later.note == "2 by this time last Monday (UTC)"
        [later, _] = cards.calls_today(NOON + timedelta(days=7, minutes=1))
        assert later.note == "4 by this time last Monday (UTC)"


def test_lines_that_are_missed_are_quiet(line: PhoneNumber, other_line: PhoneNumber) -> None:
    for owner in (line, other_line):
        for minute in range(3):
            make_call(owner, created_at=NOON - 7 * DAY - timedelta(hours=2, minutes=minute))
    make_call(other_line, created_at=NOON - 23 * HOUR)
    with all_tenants("test"):
        roll_up()
        [quiet] = quiet_lines(now=NOON, min_calls=3)
        assert (quiet.phone_id, quiet.calls_a_week_ago) == (line.pk, 3)
        assert quiet_lines(now=NOON, min_calls=4) == []
    with tenant(other_line.pk):
        assert quiet_lines(now=NOON, min_calls=3) == []


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is NOON on the home page."""
    monkeypatch.setattr(home, "timezone", SimpleNamespace(now=lambda: NOON))


def test_every_number_leads_to_its_rows(
    noon: None, back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_call(line, ai_confidence="0.3", created_at=NOON)
    make_call(other_line, status="failed", ai_confidence="0.4", created_at=NOON)
    make_call(other_line, status="ringing", created_at=NOON)
    make_call(line, created_at=NOON - 40 * DAY, ai_confidence="0.1")
    with all_tenants("test"):
        CallEvent.objects.create(phone=line, kind="voice", payload={}, outcome="waiting")
    context = shown(back_office)
    expected = {"Calls today": 3, "Inbox problems": 1}
    for card in context["cards"]:
        if card.title in expected:
            assert card.value == str(expected[card.title])
            assert len(listed(back_office, card.link).result_list) == expected[card.title]
    [waiting] = [card for card in context["cards"] if card.title == "Waiting for review"]
    assert (waiting.value, waiting.link) == ("2", "/admin/desk/review/")
    [failed] = [card for card in context["cards"] if card.title == "Failed today"]
    assert len(listed(back_office, failed.link).result_list) == 1
    assert context["live_count"].number == 1
    assert len(listed(back_office, context["live_link"]).result_list) == 1
    with all_tenants("test"):
        roll_up()
    bars = [drawn.bar for drawn in context["charts"][0].bars]
    assert len(bars) == home.DAYS
    rows = listed(back_office, bars[-1].link).result_list
    assert sum(row.total_calls for row in rows) == bars[-1].value == 3


def test_inside_a_line_nothing_of_others_is_counted(
    noon: None, back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_call(line, created_at=NOON)
    for status in ("ringing", "completed"):
        make_call(
            other_line,
            status=status,
            caller_number="+4930901820",
            ai_confidence="0.1",
            created_at=NOON,
        )
    with all_tenants("test"):
        CallEvent.objects.create(phone=other_line, kind="voice", payload={}, outcome="waiting")
        CallEvent.objects.create(phone=None, kind="voice", payload={}, outcome="unknown_line")
        roll_up()
    pick(back_office, line)
    context = shown(back_office)
    found = values(context)
    assert (found["Calls today"], found["Waiting for review"], found["Inbox problems"]) == (
        "1",
        "0",
        "0",
    )
    assert context["live_count"].number == 0
    assert context["charts"][0].bars[-1].bar.value == 1
    for path in ("/admin/", "/admin/desk/live/"):
        page = back_office.get(path).content.decode()
        assert other_line.business_name not in page
        assert "+4930901820" not in page


def test_one_sees_the_numbers_of_what_one_may_see(
    support_agent: User, client: Client, line: PhoneNumber
) -> None:
    make_call(line, status="ringing")
    client.force_login(support_agent)
    assert "Ask an administrator for a role" in client.get("/admin/").content.decode()
    assert client.get("/admin/desk/live/").status_code == 403
    support_agent.user_permissions.add(Permission.objects.get(codename="view_call"))
    assert set(values(shown(client))) == {"Calls today", "Failed today"}
    assert "1</span> live call" in client.get("/admin/desk/live/").content.decode()


def test_callers_are_escaped_among_the_live_calls(back_office: Client, line: PhoneNumber) -> None:
    make_call(line, status="ringing", caller_number="<script>alert(1)</script>")
    page = back_office.get("/admin/desk/live/").content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_number_that_takes_too_long_holds_up_no_other(
    back_office: Client, line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(now: datetime) -> list[cards.Card]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return []

    monkeypatch.setattr(home, "TIME_LIMIT", 0.05)
    monkeypatch.setattr(home, "PARTS", [("calls.view_call", "Slow", slow)])
    monkeypatch.setattr(home, "charts", slow)
    context = shown(back_office)
    assert context["charts_are_late"]
    assert [(card.title, card.note) for card in context["cards"]] == [("Slow", "timed out")]
    assert context["live_count"].number == 0


def test_a_run_of_one_line_is_not_the_last_one_over_all(line: PhoneNumber) -> None:
    with all_tenants("test"):
        ArchiveRun.objects.create(kind="archive", state="failed", started_by="test")
        ArchiveRun.objects.create(kind="archive", state="done", phone=line, started_by="test")
        [over_all] = cards.last_archive(NOON)
    with tenant(line.pk):
        [of_line] = cards.last_archive(NOON)
    assert (over_all.note, over_all.tone) == ("0 calls, failed", "bad")
    assert (of_line.note, of_line.tone) == ("0 calls, done", "")


def test_home_takes_few_queries(back_office: Client, day: list[Call]) -> None:
    with CaptureQueriesContext(connection) as queries:
        shown(back_office)
    asked = [q["sql"] for q in queries if q["sql"].lstrip().startswith(("SELECT", "WITH"))]
    asked = [sql for sql in asked if "statement_timeout" not in sql]
    assert len(asked) <= 20


@pytest.mark.parametrize(
    ("age", "says"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (HOUR, "1 h ago"),
        (47 * HOUR, "47 h ago"),
        (2 * DAY, "2 days ago"),
    ],
)
def test_a_card_says_in_one_unit_how_long_ago(age: timedelta, says: str) -> None:
    assert cards.ago(NOON - age, NOON) == says
