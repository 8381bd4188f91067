"""A call in progress, or one that we ended, has no known length: nowhere is it of 0 seconds."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from analytics.definitions import DEFINITIONS
from analytics.models import CallAnalytics, DailyCallStats, PhonePerformance
from analytics.rollups import roll_up
from calls.duration import MEASURED, SUCCESSFUL, known_duration, measured_sql, successful_sql
from calls.intake.stuck import end_stuck_calls
from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of
from tests.factories import make_call

AT = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
DAY = {"first": "2026-03-10", "last": "2026-03-10", "timezone": "UTC"}
HOUR = {"since": "2026-03-10T12:00:00Z", "until": "2026-03-10T13:00:00Z"}
COUNTS = {
    "total_calls": 6,
    "answered_calls": 3,
    "successful_calls": 1,
    "live_calls": 2,
    "measured_calls": 2,
    "total_duration": 100,
    "average_duration": 50,
    "unique_callers": 1,
}
# Status, provider_status, stored duration, whether it is known.
CALLS = [
    ("ringing", None, 0, False),
    ("answered", "in-progress", 0, False),
    ("completed", "timed-out", 0, False),
    ("failed", "timed-out", 0, False),
    ("completed", "completed", 100, True),
    ("failed", "no-answer", 0, True),
]


@pytest.fixture
def six_calls(line: PhoneNumber) -> list[Call]:
    return [
        make_call(
            line,
            status=status,
            provider_status=word,
            duration=seconds,
            created_at=AT,
            caller_number="+14155550101",
        )
        for status, word, seconds, _ in CALLS
    ]


@pytest.fixture
def api(line: PhoneNumber, six_calls: list[Call]) -> Api:
    return api_of(line)


def test_rules_in_sql_and_in_the_orm_are_equal(six_calls: list[Call]) -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {measured_sql()}, {successful_sql()} FROM calls")
        found = {key: (measured, successful) for key, measured, successful in cursor.fetchall()}
        by_orm = [
            set(Call.objects.filter(rule).values_list("pk", flat=True))
            for rule in (MEASURED, SUCCESSFUL)
        ]
    assert found == {key: (key in by_orm[0], key in by_orm[1]) for key in found}
    assert [known_duration(call) is not None for call in six_calls] == [row[3] for row in CALLS]
    assert [found[call.pk][0] for call in six_calls] == [row[3] for row in CALLS]


@pytest.mark.parametrize("is_rolled_up", [False, True])
@pytest.mark.parametrize(
    ("path", "query"), [("/stats/daily/", DAY), ("/stats/hourly/", HOUR)], ids=["day", "hour"]
)
def test_an_average_is_over_calls_whose_length_is_known(
    api: Api, path: str, query: dict[str, str], is_rolled_up: bool
) -> None:
    if is_rolled_up:
        with all_tenants("test"):
            roll_up()
    body = api.get(path, query).json()
    [bucket] = body["buckets"]
    assert {name: bucket[name] for name in COUNTS} == COUNTS
    assert body["total"] == COUNTS


def test_stored_rows_and_the_summary_count_alike(line: PhoneNumber) -> None:
    for status, word, seconds, _ in CALLS:
        make_call(line, status=status, provider_status=word, duration=seconds)
    call_command("roll_up_calls", stdout=StringIO())
    call_command("verify_stats", stdout=StringIO())
    with all_tenants("test"):
        hour, day = CallAnalytics.objects.get(), DailyCallStats.objects.get()
        summary = PhonePerformance.objects.get()
    for row in (hour, day):
        assert (row.successful_calls, row.live_calls, row.measured_calls) == (1, 2, 2)
        assert row.total_duration == 100
    assert day.average_duration == 50
    assert summary.avg_duration == 50
    assert f"{summary.success_rate:.4f}" == "16.6667"


def test_a_line_of_unknown_lengths_has_no_average(line: PhoneNumber, back_office: Client) -> None:
    make_call(line, status="ringing", duration=0)
    call_command("refresh_summary", stdout=StringIO())
    now = datetime.now(UTC).date()
    days = {"first": str(now - timedelta(days=2)), "last": str(now + timedelta(days=1))}
    assert api_of(line).get("/stats/daily/", days).json()["total"]["average_duration"] is None
    assert api_of(line).get("/stats/summary/").json()["avg_duration"] is None
    for page in ("analytics/phoneperformance/", f"tenants/phonenumber/{line.pk}/change/"):
        assert back_office.get(f"/admin/{page}").status_code == 200


def test_ending_a_stuck_call_and_its_late_report_are_counted_again(line: PhoneNumber) -> None:
    call = make_call(line, status="answered", duration=0, created_at=AT)
    end_stuck_calls(now=AT + timedelta(days=1))
    with all_tenants("test"):
        roll_up()
        assert DailyCallStats.objects.values_list("successful_calls", "measured_calls").get() == (
            0,
            0,
        )
        # The provider's word alone changes.
        Call.objects.filter(pk=call.pk).update(provider_status="completed")
        roll_up()
        assert DailyCallStats.objects.values_list("successful_calls", "measured_calls").get() == (
            1,
            1,
        )
    call_command("verify_stats", stdout=StringIO())


def test_the_api_marks_what_is_unknown_and_filters_by_known_lengths(api: Api) -> None:
    known = [
        {**row, "pair": (row["status"], row["provider_status"])}
        for row in api.get("/calls/").json()["results"]
    ]
    assert {row["pair"]: row["duration_known"] for row in known} == {
        (status, word): is_known for status, word, _, is_known in CALLS
    }
    [timed_out, *_] = [row for row in known if row["pair"] == ("failed", "timed-out")]
    assert api.get(f"/calls/{timed_out['id']}/").json()["duration_known"] is False
    for query in ({"duration_max": 10}, {"duration_min": 0, "duration_max": 10}):
        found = api.get("/calls/", query | {"total": "exact"}).json()
        assert [row["provider_status"] for row in found["results"]] == ["no-answer"]
        assert found["total"]["count"] == 1
    assert len(api.get("/calls/", {"duration_min": 0}).json()["results"]) == 2


def test_the_admin_shows_no_length_that_nobody_knows(
    six_calls: list[Call], back_office: Client
) -> None:
    shown = {
        (call.status, call.provider_status): back_office.get(
            f"/admin/calls/call/{call.pk}/change/"
        ).context["page"]["lasted"]
        for call in six_calls
    }
    assert shown == {
        ("ringing", None): "in progress",
        ("answered", "in-progress"): "in progress",
        ("completed", "timed-out"): "unknown",
        ("failed", "timed-out"): "unknown",
        ("completed", "completed"): "1:40",
        ("failed", "no-answer"): "0:00",
    }
    found = back_office.get("/admin/calls/call/?shorter=10").context["cl"].result_list
    assert [call.provider_status for call in found] == ["no-answer"]


@pytest.mark.parametrize(("reached", "calls"), [("completed", 1), ("live", 2), ("measured", 2)])
def test_a_number_links_to_the_calls_that_it_counts(
    six_calls: list[Call], back_office: Client, reached: str, calls: int
) -> None:
    page = back_office.get(f"/admin/calls/call/?since=2026-03-10&reached={reached}")
    assert len(page.context["cl"].result_list) == calls


def test_an_export_leaves_an_unknown_length_empty(
    six_calls: list[Call], back_office: Client
) -> None:
    chosen = [str(call.pk) for call in six_calls]
    sent = {"action": "export_calls", "_selected_action": chosen, "post": "yes"}
    answer: Any = back_office.post("/admin/calls/call/", sent)
    text = b"".join(answer.streaming_content).decode()
    rows = csv.DictReader(StringIO(text.removeprefix("\ufeff")))
    assert sorted(row["duration"] for row in rows) == ["", "", "", "", "0", "100"]


@pytest.mark.parametrize(
    "page", ["analytics/dailycallstatsrow/", "analytics/callanalyticsrow/", "", "a row"]
)
def test_definitions_stand_beside_the_numbers(
    six_calls: list[Call], back_office: Client, page: str
) -> None:
    with all_tenants("test"):
        roll_up()
    if page == "a row":
        page = "analytics/dailycallstatsrow/pn_bakery~2026-03-10/change/"
    text = back_office.get(f"/admin/{page}").content.decode()
    assert DEFINITIONS["successful_calls"] in text


def test_the_api_document_has_the_same_definitions(db: None) -> None:
    generator: Any = SchemaGenerator
    schema = generator().get_schema(request=None, public=True)
    counts = schema["components"]["schemas"]["Counts"]["properties"]
    for name, definition in DEFINITIONS.items():
        if name != "success_rate":
            assert counts[name]["description"].startswith(definition)
