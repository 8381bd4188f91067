"""Calls while closed, by weekly gap: each call in exactly one, and none that came while open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from decisions.admin.line_hours import calls_of
from decisions.calendar import Calendar
from decisions.closed_gaps import SPAN, closed_spans, gaps_of
from decisions.hours import hours_at
from decisions.stored_settings import StoredSettings, settings_of
from tenancy import all_tenants, tenant
from tenants.models import BusinessHours, PhoneNumber, SpecialDay
from tests.admin_client import listed
from tests.decisions.factories import FRIDAY, MONDAY, closed, line, row, special
from tests.factories import make_call

# A Monday, three weeks after the clocks of Berlin went back.
NOW = datetime(2026, 11, 16, 11, tzinfo=UTC)


def spans_of(*rows: Any, labels: dict[str, str] | None = None) -> list[tuple[str, int]]:
    settings = {
        "timezone": "Europe/Berlin",
        "special_days": [{"date": day, "label": label} for day, label in (labels or {}).items()],
    }
    spans = closed_spans(Calendar(line(*rows)), settings, now=NOW)
    return [(span.name, round((span.ends - span.begins) / timedelta(hours=1))) for span in spans]


def test_the_gaps_of_a_week_have_the_names_of_their_ends() -> None:
    work_days = [row(day, "09:00-17:00") for day in range(1, 6)]
    found = spans_of(
        *work_days,
        special("2026-11-11", label="Founders Day"),
        labels={"2026-11-11": "Founders Day"},
    )
    assert found[-4:] == [
        ("Monday 17:00 to Tuesday 09:00", 16),
        ("Tuesday 17:00 to Thursday 09:00 (Founders Day)", 40),
        ("Thursday 17:00 to Friday 09:00", 16),
        ("Friday 17:00 to Monday 09:00", 64),
    ]
    # Both weekends have one name, and one has the hour more of the night that changes.
    assert ("Friday 17:00 to Monday 09:00", 65) in found
    assert found[0] == ("Friday 17:00 to Monday 09:00", 44)


def test_lines_without_hours_and_lines_that_never_open() -> None:
    assert spans_of() == []
    assert spans_of(closed(MONDAY)) == [("Closed for longer than a week", 24 * SPAN.days)]
    assert spans_of(row(FRIDAY, "00:00-00:00"), special("2026-11-06")) != []


@pytest.fixture
def bakery(line: PhoneNumber) -> PhoneNumber:
    """Open on work days from 9 to 17, with one holiday, in Berlin."""
    with all_tenants("test data"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone="Europe/Berlin")
        for day in range(1, 6):
            BusinessHours.objects.create(
                phone=line,
                day_of_week=day,
                open_time="09:00",
                close_time="17:00",
                timezone="Europe/Berlin",
            )
        SpecialDay.objects.create(phone=line, date="2026-11-11", label="Founders Day")
        line.refresh_from_db()
    return line


def test_each_call_while_closed_is_in_one_gap_and_in_the_list_behind_it(
    bakery: PhoneNumber, other_line: PhoneNumber, back_office: Client
) -> None:
    moments = [NOW - timedelta(hours=7 * number, minutes=number) for number in range(100)]
    edge = datetime(2026, 11, 13, 16, tzinfo=UTC)  # Friday 17:00, the moment of closing
    for moment in [*moments, edge, edge - timedelta(microseconds=1), NOW - SPAN - timedelta(1)]:
        make_call(bakery, created_at=moment)
    make_call(other_line, created_at=edge)
    with tenant(bakery.pk):
        stored: StoredSettings | None = settings_of(bakery.pk)
        assert stored is not None
        calendar = Calendar(stored.line_settings)
        gaps = gaps_of(bakery.pk, closed_spans(calendar, stored.document, now=NOW))
    closed_moments = [each for each in [*moments, edge] if not hours_at(calendar, each).is_open]
    assert sum(gap.calls for gap in gaps) == len(closed_moments)
    assert [gap.calls for gap in gaps] == sorted((gap.calls for gap in gaps), reverse=True)
    weekend = next(gap for gap in gaps if gap.name == "Friday 17:00 to Monday 09:00")
    assert len(weekend.spans) == 5
    rows = listed(back_office, calls_of(weekend, bakery)).result_list
    assert len(rows) == weekend.calls
    assert {row.phone_id for row in rows} == {bakery.pk}
    assert edge in {row.created_at for row in rows}


@pytest.mark.parametrize(
    "within", ["yesterday", "2026-11-01T00:00/2026-11-02T00:00", "2026-11-02T00Z/2026-11-01T00Z"]
)
def test_periods_that_cannot_be_read_show_nothing_and_what_to_write(
    line: PhoneNumber, back_office: Client, within: str
) -> None:
    make_call(line)
    page = back_office.get("/admin/calls/call/", {"within": within})
    assert "write each as 2026-11-02T17:00:00Z/2026-11-03T09:00:00Z" in page.content.decode()
    assert not listed(back_office, "/admin/calls/call/", {"within": within}).result_list
