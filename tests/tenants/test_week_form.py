"""A line's opening hours on their own page: the week's grid, special days, public holidays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils.datastructures import MultiValueDict

from decisions.settings_document import line_settings
from decisions.stored_settings import settings_of
from tenancy import all_tenants, tenant
from tenants.hours_rows import rows_of
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    PhoneNumber,
    SpecialDay,
    SpecialDayInterval,
)
from tenants.week_form import WeekForm, week_document
from tests.admin_client import form_errors, pick
from tests.factories import make_line

TODAY = datetime.now(tz=UTC).date()
NEXT_YEAR = TODAY.year + 1
EVE = f"{NEXT_YEAR}-12-24"
LUNCH = {"day-1-open": ["13:00", "09:00", ""], "day-1-close": ["17:00", "12:00", ""]}


@pytest.fixture
def line(db: None) -> PhoneNumber:
    return make_line(id="pn_1", number="+493012345678", timezone="Europe/Berlin")


def page(line: PhoneNumber) -> str:
    return f"/admin/tenants/phonenumber/{quote(line.pk)}/hours/"


def shown(client: Client, line: PhoneNumber) -> WeekForm:
    response: Any = client.get(page(line))
    assert response.status_code == 200
    form: WeekForm = response.context_data["form"]
    return form


def save(client: Client, line: PhoneNumber, **fields: Any) -> Any:
    """Post the page with these fields instead of what it shows; None takes one away."""
    data = {name: list(values) for name, values in shown(client, line).data.lists()}
    for name, value in fields.items():
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value if isinstance(value, list) else [value]
    return client.post(page(line), data)


def errors(response: Any) -> list[str]:
    """The errors of the form that was shown again, each with its day."""
    assert response.status_code == 200, "the form was saved"
    form = response.context_data["form"]
    of_days = [
        f"{day.name}: {error}"
        for day in [*form.week, *form.special]
        for error in [*day.errors, *(each for pair in day.pairs for each in pair.errors)]
    ]
    html = response.content.decode()
    assert "Nothing was saved" in html
    return [*form.errors, *of_days]


def week(line: PhoneNumber) -> dict[str, list[str]]:
    """The rows by table, as they read."""
    with all_tenants("test"):
        return {
            "rows": [str(row) for row in BusinessHours.objects.order_by("day_of_week")],
            "further": [
                str(row)
                for row in BusinessHoursInterval.objects.order_by("day_of_week", "open_time")
            ],
        }


def keys() -> set[Any]:
    with all_tenants("test"):
        tables: list[Any] = [BusinessHours, BusinessHoursInterval]
        return {key for table in tables for key in table.objects.values_list("pk", flat=True)}


def special() -> dict[str, str]:
    with all_tenants("test"):
        hours = list(SpecialDayInterval.objects.order_by("open_time"))
        return {
            str(day): "closed"
            if day.is_closed
            else ", ".join(str(each) for each in hours if each.special_day_id == day.pk)
            for day in SpecialDay.objects.order_by("date")
        }


def test_all_seven_days_are_there_from_monday(back_office: Client, line: PhoneNumber) -> None:
    assert [day.number for day in shown(back_office, line).week] == [1, 2, 3, 4, 5, 6, 0]


def test_the_earliest_interval_is_the_row_of_its_day(
    back_office: Client, line: PhoneNumber
) -> None:
    response = save(back_office, line, **LUNCH, **{"day-0-closed": "on"})
    assert response.status_code == 302
    assert week(line) == {
        "rows": ["Sunday: closed", "Monday: 09:00 to 12:00 Europe/Berlin"],
        "further": ["Monday: 13:00 to 17:00"],
    }
    before = keys()
    # The two change places, which each alone would overlap.
    moved = {"day-1-open": ["13:00", "09:00"], "day-1-close": ["15:00", "13:00"]}
    assert save(back_office, line, **moved).status_code == 302
    assert week(line)["rows"][1] == "Monday: 09:00 to 13:00 Europe/Berlin"
    assert week(line)["further"] == ["Monday: 13:00 to 15:00"]
    assert keys() == before
    save(back_office, line, **{"day-1-closed": "on"})
    assert week(line) == {"rows": ["Sunday: closed", "Monday: closed"], "further": []}
    save(back_office, line, **{"day-1-closed": None, "day-0-closed": None, "day-1-open": None})
    assert week(line) == {"rows": [], "further": []}


def test_saving_without_a_change_changes_nothing(back_office: Client, line: PhoneNumber) -> None:
    assert save(back_office, line).status_code == 302
    assert week(line) == {"rows": [], "further": []}
    fields = {"day-2-open": "10:00", "day-2-close": "10:00", "day-2-all_day": "on"}
    save(back_office, line, **LUNCH, **fields, **{"day-3-closed": "on"})
    with all_tenants("test"):
        before = rows_of(line).document()
    assert save(back_office, line).status_code == 302
    with all_tenants("test"):
        assert rows_of(line).document() == before


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"day-2-open": "09:00", "day-2-close": ""},
         "Tuesday: Enter the time at which it closes, such as 09:00."),
        ({"day-2-open": "25:00", "day-2-close": "17:00"},
         "Tuesday: “25:00” is not a time. Write it like 09:00."),
        ({"day-2-open": ["09:00", "11:59"], "day-2-close": ["12:00", "13:00"]},
         "Tuesday: These hours overlap. Change or empty one of them."),
        ({"day-2-open": ["22:00", "23:00"], "day-2-close": ["02:00", "23:30"]},
         "Tuesday: These hours overlap. Change or empty one of them."),
        ({"day-2-open": ["10:00", "12:00"], "day-2-close": ["10:00", "13:00"],
          "day-2-all_day": "on"},
         "Tuesday: These hours overlap. Change or empty one of them."),
        ({"day-2-open": "10:00", "day-2-close": "10:00"},
         "Tuesday: Open 24 hours? Tick the box to confirm, or change one of the times."),
        ({"special": "new0", "special-new0-label": "Half day"},
         "New special day: Enter the date of this special day."),
        ({"special": "new0", "special-new0-date": EVE, "special-new0-label": "x" * 201},
         "New special day: A label is one line of at most 200 characters."),
        ({"special": ["new0", "new1"], "special-new0-date": EVE, "special-new1-date": EVE},
         "New special day: There is another special day on this date."),
        ({"special": "new0", "special-new0-date": EVE, "special-new0-open": "9:00",
          "special-new0-close": "9:00"},
         "New special day: Open 24 hours? Tick the box to confirm, or change one of the times."),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_are_errors_of_their_day(
    back_office: Client, line: PhoneNumber, fields: dict[str, Any], error: str
) -> None:
    assert errors(save(back_office, line, **LUNCH, **fields)) == [error]
    assert week(line) == {"rows": [], "further": []}
    assert special() == {}


def test_what_two_times_mean_is_shown(back_office: Client, line: PhoneNumber) -> None:
    fields = {"day-5-open": "18:00", "day-5-close": "02:00"}
    whole = {"day-6-open": "10:00", "day-6-close": "10:00", "day-6-all_day": "on"}
    assert save(back_office, line, **fields, **whole).status_code == 302
    days = {day.name: day for day in shown(back_office, line).week}
    assert [pair.note for pair in days["Friday"].pairs] == ["next day"]
    assert [pair.note for pair in days["Saturday"].pairs] == ["24 hours"]
    assert days["Saturday"].is_all_day


def test_a_row_of_another_zone_is_warned_of_and_kept(
    back_office: Client, line: PhoneNumber
) -> None:
    with all_tenants("test data"):
        row = {"phone": line, "open_time": "09:00", "close_time": "17:00"}
        BusinessHours.objects.create(day_of_week=1, timezone="Asia/Tokyo", **row)
    assert "The first times are of another zone" in back_office.get(page(line)).content.decode()
    # In another zone it stays the first, and is not compared with the others.
    more = {"day-1-open": ["09:00", "08:00"], "day-1-close": ["17:00", "12:00"]}
    assert save(back_office, line, **more).status_code == 302
    assert week(line) == {
        "rows": ["Monday: 09:00 to 17:00 Asia/Tokyo"],
        "further": ["Monday: 08:00 to 12:00"],
    }
    [error] = errors(save(back_office, line, **{"day-1-timezone": "Europe/Berlin"}))
    assert "overlap" in error
    fields = {"day-1-timezone": "Europe/Berlin", "day-1-open": "09:00", "day-1-close": "17:00"}
    assert save(back_office, line, **fields).status_code == 302
    assert week(line)["rows"] == ["Monday: 09:00 to 17:00 Europe/Berlin"]


def test_special_days_are_added_changed_and_deleted(
    back_office: Client, line: PhoneNumber
) -> None:
    fields = {
        "special": ["new0", "new1", "new2"],
        "special-new0-date": EVE,
        "special-new0-label": "Christmas Eve",
        "special-new0-open": ["14:00", "09:00"],
        "special-new0-close": ["16:00", "12:00"],
        "special-new1-date": f"{NEXT_YEAR}-12-25",
        "special-new1-closed": "on",
    }
    response = save(back_office, line, **fields)
    assert "no weekly hours" in back_office.get(response["Location"]).content.decode()
    day = f"{EVE} Christmas Eve"
    assert special() == {day: "09:00 to 12:00, 14:00 to 16:00", f"{NEXT_YEAR}-12-25": "closed"}
    # One takes the other's date.
    response = save(
        back_office,
        line,
        delete=f"{NEXT_YEAR}-12-25",
        **{f"special-{EVE}-date": f"{NEXT_YEAR}-12-25", f"special-{EVE}-open": ["14:00"]},
        **{f"special-{EVE}-close": ["16:00"]},
    )
    assert response.status_code == 302
    assert special() == {f"{NEXT_YEAR}-12-25 Christmas Eve": "14:00 to 16:00"}


def test_past_special_days_are_listed_and_stay(back_office: Client, line: PhoneNumber) -> None:
    past = [str(TODAY - timedelta(days=days)) for days in (10, 20)]
    with all_tenants("test data"):
        for day in past:
            SpecialDay.objects.create(phone=line, date=day)
    form = shown(back_office, line)
    assert ([day for day, _ in form.past], form.special) == (past, [])
    assert save(back_office, line, delete=past[1]).status_code == 302
    assert list(special()) == past[:1]


def test_public_holidays_are_added_one_by_one_or_all(
    back_office: Client, line: PhoneNumber
) -> None:
    choice = shown(back_office, line).holidays
    assert (choice.country, choice.years) == ("DE", [TODAY.year, NEXT_YEAR])
    region = {"country": "DE", "subdivision": "BY", "year": str(NEXT_YEAR), "_holidays": ""}
    response = save(back_office, line, **LUNCH, **region)
    form = response.context_data["form"]
    labels = {offer.key: offer.holiday.label for offer, _ in form.offers()}
    assert labels[f"{NEXT_YEAR}-01-06"] == "Epiphany"
    assert [pair.open for pair in form.week[0].pairs] == ["13:00", "09:00"], "what was typed"
    assert special() == {}
    # What was listed counts, not the country that was chosen since.
    offered = {"offered": form.holidays.offered, "country": "US"}
    chosen = [f"{NEXT_YEAR}-01-06", f"{NEXT_YEAR}-07-04"]
    assert save(back_office, line, holiday=chosen, **offered).status_code == 302
    assert special() == {f"{NEXT_YEAR}-01-06 Epiphany": "closed"}
    again = save(back_office, line, **region).context_data["form"]
    assert [offer.key for offer, is_known in again.offers() if is_known] == chosen[:1]
    save(back_office, line, all_holidays="on", **offered)
    assert len(special()) == len(labels)


def test_one_row_is_confirmed_to_be_of_24_hours_too(
    back_office: Client, line: PhoneNumber
) -> None:
    url = "/admin/tenants/businesshours/add/"
    row = {"phone": line.pk, "day_of_week": 1, "open_time": "10:00", "close_time": "10:00"}
    refused = back_office.post(url, row | {"timezone": "Europe/Berlin"})
    assert "Open 24 hours?" in form_errors(refused)
    back_office.post(url, row | {"timezone": "Europe/Berlin", "all_day": "on"})
    assert week(line)["rows"] == ["Monday: 10:00 to 10:00 Europe/Berlin"]
    listed = back_office.get("/admin/tenants/businesshours/").content.decode()
    assert "10:00 to 10:00 (24 hours)" in listed


def test_of_two_people_the_second_is_told(back_office: Client, line: PhoneNumber) -> None:
    version = shown(back_office, line).version
    save(back_office, line, **LUNCH)
    [error] = errors(save(back_office, line, version=version, **{"day-1-closed": "on"}))
    assert "somebody else has changed these hours" in error
    assert len(week(line)["further"]) == 1


@pytest.mark.parametrize(
    ("role", "may_change"), [("Support agent", True), ("Read-only analyst", False)]
)
def test_support_agents_edit_what_analysts_read(
    client: Client, support_agent: User, line: PhoneNumber, role: str, may_change: bool
) -> None:
    support_agent.groups.set([Group.objects.get(name=role)])
    client.force_login(support_agent)
    with all_tenants("test data"):
        BusinessHoursInterval.objects.create(
            phone=line, day_of_week=1, open_time="18:00", close_time="02:00"
        )
        SpecialDay.objects.create(phone=line, date=EVE, label="Christmas Eve")
    html = client.get(page(line)).content.decode()
    assert ('name="day-1-open"' in html) is may_change
    assert ("18:00 to 02:00 (next day)" in html) is not may_change
    assert "Christmas Eve" in html
    response = save(client, line, delete=EVE)
    assert response.status_code == (302 if may_change else 403)
    assert bool(special()) is not may_change
    support_agent.groups.clear()
    assert Client().get(page(line)).status_code == 302
    fresh = User.objects.get(pk=support_agent.pk)
    client.force_login(fresh)
    assert client.get(page(line)).status_code == 403


def test_a_picked_line_shows_and_changes_no_hours_of_another(
    back_office: Client, line: PhoneNumber
) -> None:
    other = make_line()
    pick(back_office, other)
    assert back_office.get(page(line)).status_code == 404
    assert back_office.post(page(line), LUNCH).status_code == 404
    assert save(back_office, other, **LUNCH).status_code == 302
    with all_tenants("test"):
        assert {row.phone_id for row in BusinessHours.objects.all()} == {other.pk}


def test_a_submitted_form_is_a_document_without_being_saved(line: PhoneNumber) -> None:
    data: Any = MultiValueDict(
        {
            "day-1-open": ["13:00", "09:00"],
            "day-1-close": ["17:00", "12:00"],
            "special": ["new0"],
            "special-new0-date": [EVE],
            "special-new0-open": ["09:00"],
            "special-new0-close": ["12:00"],
        }
    )
    with tenant(line.pk):
        data["version"] = rows_of(line).hours.version
        document = week_document(line, data, TODAY)
        assert document is not None
        assert week(line) == {"rows": [], "further": []}
        stored = settings_of(line.pk)
    assert stored is not None
    drafted = line_settings(stored.document | document)
    assert [row.open_time.hour for row in drafted.business_hours] == [9]
    assert [row.open_time.hour for row in drafted.business_hours_intervals] == [13]
    assert [len(day.intervals) for day in drafted.special_days] == [1]
    data["day-1-close"] = "x"
    with tenant(line.pk):
        assert week_document(line, data, TODAY) is None
