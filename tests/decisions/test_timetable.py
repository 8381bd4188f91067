"""The calendar of a line: each moment is open or in a gap, and agrees with the decision there."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from decisions.calendar import Calendar
from decisions.hours import hours_at
from decisions.settings_document import line_settings
from decisions.timetable import timetable
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.decisions.storing import store_settings
from tests.decisions.vectors import VECTORS

[EXAMPLE] = [vector for vector in VECTORS if vector["id"] == "example"]
SET = [vector for vector in VECTORS if Calendar(line_settings(vector["settings"])).is_set]


@pytest.mark.parametrize("vector", SET[::4], ids=lambda vector: vector["id"])
def test_spans_agree_with_the_decision_at_each_of_their_ends(vector: dict[str, Any]) -> None:
    calendar = Calendar(line_settings(vector["settings"]))
    at = datetime.fromisoformat(vector["at"])
    first = at.astimezone(ZoneInfo(calendar.zone.name)).date() - timedelta(3)
    table = timetable(calendar, first, 7)
    spans: list[Any] = sorted([*table.open, *table.gaps], key=lambda span: span.begin)
    assert [table.begin, *(span.end for span in spans)] == [
        *(span.begin for span in spans),
        table.end,
    ]
    for span in spans:
        for moment in (span.begin, span.end - timedelta.resolution):
            assert hours_at(calendar, moment).is_open is (span in table.open)
    for gap in table.gaps:
        assert hours_at(calendar, gap.begin).decided_by == gap.decided_by
    for overlap in table.overlaps:
        middle = overlap.begin + (overlap.end - overlap.begin) / 2
        assert len(calendar.holding(_instant(middle))) >= 2


def _instant(moment: datetime) -> int:
    return (moment - datetime.min.replace(tzinfo=UTC)) // timedelta.resolution


def test_calendar_over_the_api(line: PhoneNumber) -> None:
    store_settings(line, EXAMPLE["settings"])
    api = api_of(line)
    answer = api.get("/business-hours/calendar/", {"from": "2026-12-21", "days": 7})
    assert answer.status_code == 200
    body = answer.json()
    monday, *_, sunday = body["days"]
    assert [len(day["intervals"]) for day in body["days"]] == [2, 0, 0, 1, 0, 0, 0]
    assert monday["intervals"][0] == {
        "opens_at": "2026-12-21T08:00:00.000000Z",
        "closes_at": "2026-12-21T11:00:00.000000Z",
        "rows": [{"table": "business_hours", "id": "00000000-0000-4000-8000-000000000001"}],
    }
    assert body["days"][3]["special_day"]["label"] == "Christmas Eve"
    assert sunday["date"] == "2026-12-27"
    assert [gap["reason"] for gap in body["gaps"]] == ["weekly", "weekly", "weekly", "special_day"]
    assert len(body["open"]) == 3
    assert (body["overlaps"], body["warnings"], body["is_set"]) == ([], [], True)
    again = api.get(
        "/business-hours/calendar/",
        {"from": "2026-12-21", "days": 7},
        headers={"If-None-Match": answer["ETag"]},
    )
    assert again.status_code == 304
    for wrong in ({"days": 0}, {"days": 401}, {"from": "x"}, {"from": "9999-12-31"}, {"to": "1"}):
        refusal = api.get("/business-hours/calendar/", wrong)
        assert refusal.status_code == 400, wrong
        assert refusal.json()["errors"][0]["parameter"] in wrong


def test_what_an_owner_may_not_expect_is_named(line: PhoneNumber) -> None:
    api = api_of(line)
    assert api.get("/business-hours/calendar/").json()["is_set"] is False

    def warnings() -> list[str]:
        return [each["code"] for each in api.get("/business-hours/calendar/").json()["warnings"]]

    api.post("/special-days/", {"date": "2026-12-24", "is_closed": True})
    assert warnings() == ["special_days_only"]
    monday = {"day_of_week": 1, "open_time": "09:00", "close_time": "12:00", "is_closed": True}
    further = {"day_of_week": 1, "open_time": "13:00", "close_time": "17:00"}
    api.put("/business-hours/", {"days": [monday], "intervals": [further]})
    assert warnings() == ["ignored_intervals"]
    other = monday | {"is_closed": False, "timezone": "Asia/Tokyo"}
    api.put("/business-hours/", {"days": [other], "intervals": []})
    assert warnings() == ["other_timezone"]
