"""Further intervals of a weekday and special days over the API."""

from typing import Any

import pytest

from tenancy import tenant
from tenants.models import PhoneNumber, SpecialDayInterval
from tests.api_client import Api, api_of

MORNING = {"day_of_week": 1, "open_time": "09:00:00", "close_time": "12:00:00"}
AFTERNOON = {"day_of_week": 1, "open_time": "13:00:00", "close_time": "17:00:00"}
HOURS = [{"open_time": "09:00:00", "close_time": "12:00:00"}]
EVE = {
    "date": "2026-12-24",
    "label": "Christmas Eve",
    "is_closed": False,
    "intervals": HOURS,
}


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


def test_an_interval_is_made_read_changed_and_deleted(api: Api) -> None:
    assert api.post("/business-hours/", MORNING).status_code == 201
    made = api.post("/business-hours-intervals/", AFTERNOON)
    assert made.status_code == 201
    path = made["Location"].removeprefix("/api/v1")
    assert api.get(path).json() == made.json()
    assert api.get("/business-hours-intervals/").json() == {"results": [made.json()]}
    for wrong, status in (
        (AFTERNOON | {"open_time": "16:59"}, 409),
        (AFTERNOON | {"open_time": "09:00", "close_time": "09:00"}, 400),
        (AFTERNOON | {"open_time": "24:00"}, 400),
        (AFTERNOON | {"day_of_week": 7}, 400),
    ):
        refusal = api.post("/business-hours-intervals/", wrong)
        assert refusal.status_code == status, wrong
        assert len(refusal.json()["detail"]) > 20
    assert api.patch(path, {"close_time": "18:00"}).json()["close_time"] == "18:00:00"
    assert api.patch(path, {"open_time": "11:00"}).status_code == 409
    assert api.delete(path).status_code == 204


def test_a_week_is_replaced_with_its_intervals(api: Api) -> None:
    week = {"days": [MORNING], "intervals": [AFTERNOON]}
    saved = api.put("/business-hours/", week)
    assert saved.status_code == 200
    exchanged = {"days": [AFTERNOON], "intervals": [MORNING]}
    changed = api.put("/business-hours/", exchanged, headers={"If-Match": saved["ETag"]}).json()
    assert changed["results"][0]["open_time"] == "13:00:00"
    assert [interval["open_time"] for interval in changed["intervals"]] == ["09:00:00"]
    assert api.put("/business-hours/", {"days": [MORNING]}).status_code == 409
    assert api.get("/business-hours/").json() == changed
    assert api.put("/business-hours/", {"days": [], "intervals": []}).json()["intervals"] == []


def test_a_special_day_is_made_read_changed_and_deleted(api: Api, line: PhoneNumber) -> None:
    made = api.post("/special-days/", EVE)
    assert made.status_code == 201
    path = made["Location"].removeprefix("/api/v1")
    assert made.json() == EVE | {"id": made.json()["id"], "phone_id": line.pk}
    assert api.get(path).json() == made.json()
    assert api.get("/special-days/").json() == {"results": [made.json()]}
    assert api.patch(path, {"label": "Eve"}).json()["intervals"] == EVE["intervals"]
    assert api.patch(path, {"intervals": []}).json()["intervals"] == []
    assert api.put(path, EVE).json() == made.json()
    assert api.post("/special-days/", EVE).status_code == 409
    assert api.delete(path).status_code == 204
    with tenant(line.pk):
        assert SpecialDayInterval.objects.count() == 0


@pytest.mark.parametrize(
    ("wrong", "status", "pointer"),
    [
        ({"date": "2026-02-30"}, 400, "#/date"),
        ({"date": "infinity"}, 400, "#/date"),
        ({"label": "x" * 201}, 400, "#/label"),
        ({"intervals": [{"open_time": "09:00"}]}, 400, "#/intervals/0/close_time"),
        ({"intervals": [*HOURS, *HOURS]}, 409, None),
    ],
)
def test_a_wrong_special_day_is_pointed_at(
    api: Api, wrong: dict[str, Any], status: int, pointer: str | None
) -> None:
    refusal = api.post("/special-days/", EVE | wrong)
    assert refusal.status_code == status
    assert [error["pointer"] for error in refusal.json().get("errors", [])] == [pointer] * bool(
        pointer
    )
    assert api.get("/special-days/").json() == {"results": []}


def test_special_days_of_another_line_are_not_there(api: Api, other_line: PhoneNumber) -> None:
    made = api_of(other_line).post("/special-days/", EVE)
    path = made["Location"].removeprefix("/api/v1")
    for answer in (api.get(path), api.patch(path, {"label": ""}), api.delete(path)):
        assert answer.status_code == 404
    assert api.get("/special-days/").json() == {"results": []}


def test_public_holidays_are_offered_and_accepted(api: Api) -> None:
    berlin = {"country": "DE", "subdivision": "BE", "year": 2026}
    offer = api.get("/special-days/holidays/", berlin).json()
    offered = {day["date"]: day["label"] for day in offer["results"]}
    assert offered["2026-03-08"]  # Berlin's own
    assert offer["subdivisions"]["BE"] == "Berlin"
    one = api.post("/special-days/holidays/", berlin | {"dates": ["2026-12-25"]})
    assert [day["date"] for day in one.json()["results"]] == ["2026-12-25"]
    path = f"/special-days/{one.json()['results'][0]['id']}/"
    api.patch(path, {"label": "Own label"})
    every = api.post("/special-days/holidays/", berlin).json()["results"]
    assert {day["date"] for day in every} == offered.keys()
    assert all(day["is_closed"] for day in every)
    assert api.get(path).json()["label"] == "Own label"
    known = api.get("/special-days/holidays/", berlin).json()["results"]
    assert all(day["special_day"] for day in known)
    assert api.get("/special-days/holidays/").json()["country"] == "US"
    for wrong, name in (
        ({"country": "XX"}, "country"),
        ({"country": "XX", "subdivision": "BE"}, "country"),
        ({"country": "DE", "subdivision": "XX"}, "subdivision"),
        ({"year": 1}, "year"),
    ):
        refusal = api.get("/special-days/holidays/", wrong).json()
        assert [error["parameter"] for error in refusal["errors"]] == [name]
        refusal = api.post("/special-days/holidays/", wrong).json()
        assert [error["pointer"] for error in refusal["errors"]] == [f"#/{name}"]
    refusal = api.post("/special-days/holidays/", berlin | {"dates": ["2026-12-27"]}).json()
    assert refusal["errors"][0]["pointer"] == "#/dates/0"
