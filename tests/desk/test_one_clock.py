"""A page of one line uses the line's clock, in days, lists and forms, and names it."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone as django_timezone

from analytics.overview import total_of_range
from analytics.queries import daily
from analytics.rollups import roll_up
from calls.models import LegalHold
from desk import cards, home
from tenancy import all_tenants, tenant
from tenancy.models import ScopedModel
from tenants.models import PhoneNumber
from tests.admin_client import listed, pick
from tests.factories import archive, hold, make_call, make_line
from tests.isolation.rows import MAKERS

pytestmark = pytest.mark.django_db

CALLS = "/admin/calls/call/"
CLOCKS = ["America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Australia/Lord_Howe", "UTC"]
DAY = date(2026, 3, 29)  # clocks go forward in Europe


def make_calls_around(line: PhoneNumber, day: date) -> None:
    """One each half hour of three days."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    for half_hour in range(3 * 48):
        make_call(line, created_at=start + timedelta(minutes=30 * half_hour))


def test_calls_in_progress_are_as_of_a_time_of_the_line(back_office: Client) -> None:
    line = make_line(timezone="Asia/Kolkata")
    assert re.search(r"As of \d\d:\d\d:\d\d \(UTC\)", back_office.get("/admin/").content.decode())
    pick(back_office, line)
    now = datetime(2026, 3, 29, 21, 15, 30, tzinfo=UTC)
    with tenant(line.pk):
        shown = home.live_calls(now)
    html = render_to_string("desk/live.html", shown)
    assert "As of 02:45:30 (Asia/Kolkata)." in html
    assert "(Asia/Kolkata)." in back_office.get("/admin/desk/live/").content.decode()


@pytest.mark.parametrize("how", ["picked", "filtered"])
@pytest.mark.parametrize("clock", [*CLOCKS, "Europe/Berlin"])
def test_a_day_of_the_list_is_the_day_of_the_statistics(
    back_office: Client, clock: str, how: str
) -> None:
    line = make_line(timezone=clock)
    make_calls_around(line, DAY)
    with all_tenants("test"):
        roll_up()
    with tenant(line.pk):
        expected = daily(first=DAY, last=DAY)[DAY].total_calls
    query = {"first": str(DAY), "last": str(DAY)}
    if how == "picked":
        pick(back_office, line)
    else:
        query["line"] = line.pk
    response: Any = back_office.get(CALLS, query)
    changes = response.context_data["cl"]
    assert len(changes.result_list) == expected
    parts = {"created_at__year": "2026", "created_at__month": "3", "created_at__day": "29"}
    drilled = listed(back_office, CALLS, parts | ({"line": line.pk} if how == "filtered" else {}))
    assert [call.pk for call in drilled.result_list] == [c.pk for c in changes.result_list]
    html = response.content.decode()
    assert f"Times and days: {clock}" in html
    assert "2026-03-29 23:30</a>" in html
    assert "2026-03-30 00:00</a>" not in html


def test_a_list_of_all_lines_is_in_utc(back_office: Client) -> None:
    make_call(make_line(timezone="Asia/Kolkata"), created_at=datetime(2026, 3, 29, 23, tzinfo=UTC))
    html = back_office.get(CALLS, {"first": "2026-03-29", "last": "2026-03-29"}).content.decode()
    assert "Times and days: UTC" in html
    assert "2026-03-29 23:00</a>" in html


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("clock", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_first_and_last_day_of_all(back_office: Client, day: str, clock: str) -> None:
    pick(back_office, make_line(timezone=clock))
    for query in ({"first": day}, {"last": day}):
        assert back_office.get(CALLS, query).status_code == 200


TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?(?: UTC)?")


@pytest.mark.parametrize("how", ["picked", "filtered"])
def test_each_list_with_times_is_on_the_clock_of_the_line(back_office: Client, how: str) -> None:
    line = make_line(id="pn_bakery", timezone="Asia/Kolkata")
    with all_tenants("test"):
        for make in MAKERS.values():
            make(line)
    query = {"line": line.pk} if how == "filtered" else {}
    if how == "picked":
        pick(back_office, line)
    lists, wrong = 0, {}
    for model, model_admin in admin.site._registry.items():
        if not issubclass(model, ScopedModel) or (model is PhoneNumber and query):
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        html = back_office.get(reverse(name), query).content.decode()
        rows = re.search(r"<tbody>(.*)</tbody>", html, re.DOTALL)
        times = TIME.findall(re.sub("<[^>]*>", " ", rows[1])) if rows else []
        lists += bool(times)
        named = "Times and days: Asia/Kolkata" in html
        if times and (not named or any(time.endswith("UTC") for time in times)):
            wrong[type(model_admin).__name__] = times
    assert not wrong
    assert lists >= 12


def test_a_time_names_the_clock_that_it_is_of(back_office: Client) -> None:
    line = make_line(timezone="Asia/Kolkata")
    hold(make_call(line))
    with all_tenants("test"):
        at = LegalHold.objects.get().placed_at
    address = "/admin/calls/legalhold/"
    assert f">{at:%Y-%m-%d %H:%M:%S} UTC<" in back_office.get(address).content.decode()
    there = at.astimezone(ZoneInfo("Asia/Kolkata"))
    html = back_office.get(address, {"line": line.pk}).content.decode()
    assert f">{there:%Y-%m-%d %H:%M:%S} IST<" in html


def test_charts_name_whose_days_they_have(back_office: Client) -> None:
    line = make_line(timezone="Asia/Kolkata")
    both = ["days of {}; filled part: completed", "days of {}; calls whose length is known"]
    html = back_office.get("/admin/").content.decode()
    assert all(note.format("each line&#x27;s own clock") in html for note in both)
    with tenant(line.pk):
        drawn = home.charts(DAY)
    assert [chart.note for chart in drawn] == [note.format("Asia/Kolkata") for note in both]
    address = f"/admin/tenants/phonenumber/{line.pk.replace('_', '_5F')}/change/"
    assert both[0].format("Asia/Kolkata") in back_office.get(address).content.decode()
    html = back_office.get("/admin/analytics/dailycallstatsrow/").content.decode()
    assert "Times and days: each line&#x27;s own" in html


def test_the_clock_of_one_page_does_not_reach_the_next(back_office: Client) -> None:
    line = make_line(timezone="Asia/Kolkata")
    assert "Asia/Kolkata" in back_office.get(CALLS, {"line": line.pk}).content.decode()
    assert django_timezone.get_current_timezone_name() == "UTC"
    assert "Times and days: UTC" in back_office.get(CALLS).content.decode()


def test_the_page_of_a_line_and_of_a_call_have_its_times(back_office: Client) -> None:
    line = make_line(timezone="Australia/Adelaide")
    call = make_call(line, created_at=datetime(2026, 7, 1, 20, 15, tzinfo=UTC))
    page: Any = back_office.get(
        f"/admin/tenants/phonenumber/{line.pk.replace('_', '_5F')}/change/"
    )
    html = page.content.decode()
    here = page.context_data["page"]["local_time"]
    assert f"Local time: {here:%a %H:%M} (Australia/Adelaide)" in html
    assert ">2026-07-02 05:45</a>" in html
    other = make_call(line, created_at=datetime(2026, 7, 3, 20, 15, tzinfo=UTC))
    archive(other)
    for address in (f"{CALLS}{call.pk}/change/", f"/admin/calls/callarchive/{other.pk}/change/"):
        html = back_office.get(address).content.decode()
        assert "(Australia/Adelaide)" in html
        assert "2026-07-02 05:45" in html
        assert "2026-07-04 05:45" in html


@pytest.mark.parametrize("clock", CLOCKS)
def test_today_is_the_day_of_the_picked_line(clock: str) -> None:
    line = make_line(timezone=clock)
    make_calls_around(line, DAY)
    now = datetime(2026, 3, 29, 13, 10, tzinfo=UTC)
    with tenant(line.pk):
        [calls, _] = cards.calls_today(now)
        today = home.last_today(now)
        assert calls.value == str(daily(first=today, last=today)[today].total_calls)
    assert f"({clock})" in calls.note
    assert f"first={today}&last={today}" in (calls.link or "")


def test_the_chart_of_all_lines_ends_where_it_is_latest() -> None:
    now = datetime(2026, 3, 29, 13, 10, tzinfo=UTC)
    make_line(timezone="America/New_York")
    with all_tenants("test"):
        assert home.last_today(now) == date(2026, 3, 29)
    line = make_line(timezone="Pacific/Auckland")
    make_call(line, created_at=now)
    with all_tenants("test"):
        assert home.last_today(now) == date(2026, 3, 30)
        [calls, _] = home.charts(home.last_today(now))
    assert [drawn.bar.value for drawn in calls.bars][-1] == 1


def test_a_range_that_is_not_of_whole_hours_is_counted_exactly(line: PhoneNumber) -> None:
    make_calls_around(line, DAY)
    with all_tenants("test"):
        roll_up()
        for minutes in (1, 30, 31, 60, 90, 150):
            since = datetime(2026, 3, 29, 0, 15, tzinfo=UTC)
            found = total_of_range(since=since, until=since + timedelta(minutes=minutes))
            assert found.total_calls == (minutes + 14) // 30


def test_who_may_not_see_keys_sees_none(support_agent: User, line: PhoneNumber) -> None:
    client = Client()
    client.force_login(support_agent)
    support_agent.user_permissions.set(
        Permission.objects.filter(codename__in=["view_phonenumber", "view_call"])
    )
    html = client.get("/admin/tenants/phonenumber/pn_5Fbakery/change/").content.decode()
    assert "never used" not in html
    assert "API keys</a></h2>" not in html
