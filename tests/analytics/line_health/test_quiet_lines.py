"""A line whose calls stop is watched, then quiet, until a call comes; not while it is closed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from django.db import connection

from analytics.line_health.models import LineCheck, QuietLine, UsualCalls
from analytics.line_health.watching import CHECKS_KEPT_FOR
from calls.intake.models import CallEvent
from tenancy import all_tenants, tenant
from tenants.models import BusinessHours, PhoneNumber, SpecialDay
from tests.analytics.line_health.lines import call_often, check, learn, missing
from tests.factories import make_call, make_line

# A Wednesday; the next check would see 10:00 at the earliest without a call.
LAST = datetime(2026, 6, 17, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NIGHT = LAST.replace(hour=3, minute=0)
REFUSED = """
INSERT INTO refused_callbacks (phone_id, cause, hour, count, detail, last_at)
VALUES (%(line)s, %(cause)s, date_trunc('hour', %(at)s::timestamptz), 7, 'The token changed.',
    %(at)s)
"""


@pytest.fixture
def line(line: PhoneNumber) -> PhoneNumber:
    """Open from 09:00 to 17:00; usually called twice an hour, last at LAST."""
    with all_tenants("test data"):
        for day in range(1, 6):
            BusinessHours.objects.create(
                phone=line, day_of_week=day, open_time="09:00", close_time="17:00"
            )
    call_often(line, until=LAST)
    learn(NIGHT)
    return line


def test_a_silence_is_watched_then_quiet_until_a_call_comes(line: PhoneNumber) -> None:
    check(LAST + HOUR)
    assert missing() == {}
    check(LAST + 2 * HOUR)
    assert missing() == {line.pk: ("watched", 4.0)}
    found = check(LAST + 7 * HOUR)
    assert missing() == {line.pk: ("quiet", 14.0)}
    assert (found.lines, found.watched, found.quiet) == (1, 0, 1)
    make_call(line, created_at=LAST + 7 * HOUR + HOUR / 10)
    check(LAST + 7 * HOUR + HOUR / 5)
    assert missing() == {}


def test_no_alarm_begins_while_the_line_is_closed(line: PhoneNumber) -> None:
    """The check was down when the alarm was due."""
    evening = LAST.replace(hour=20, minute=0)
    check(evening)
    assert missing() == {line.pk: ("watched", 15.0)}
    check(evening + 13.5 * HOUR)
    assert missing() == {line.pk: ("quiet", 16.0)}
    check(evening + DAY)  # one that began goes on
    assert missing() == {line.pk: ("quiet", 31.0)}


def test_special_days_and_closed_hours_expect_no_call(line: PhoneNumber) -> None:
    with all_tenants("test data"):
        for days in range(3):
            SpecialDay.objects.create(phone=line, date=(LAST + days * DAY).date(), label="Fair")
    check(LAST + 3 * DAY)
    assert missing() == {}  # Wednesday to Friday, and the weekend begins


def test_a_quiet_line_keeps_its_baseline(line: PhoneNumber) -> None:
    """However long it takes, what is missing does not become usual."""
    check(LAST + 7 * HOUR)
    later = LAST + 70 * DAY
    assert learn(later) == 0
    check(later)
    [(state, expected)] = missing().values()
    assert (state, expected > 500) == ("quiet", True)


@pytest.mark.parametrize(
    ("cause", "state"), [("wrong_token", "quiet"), ("no_signature", "watched")]
)
def test_refused_callbacks_prove_a_cut(line: PhoneNumber, cause: str, state: str) -> None:
    """Three expected calls are enough then; a request without a signature proves nothing."""
    values: dict[str, Any] = {"line": line.pk, "cause": cause, "at": LAST + HOUR}
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(REFUSED, values)
    check(LAST + HOUR)
    assert missing() == {}
    check(LAST + 2 * HOUR)
    assert missing() == {line.pk: (state, 4.0)}


def test_callbacks_that_became_no_call_prove_a_cut(line: PhoneNumber) -> None:
    with all_tenants("test data"):
        CallEvent.objects.create(
            phone=line, kind="voice", payload={}, outcome="malformed", reason="CallSid is missing."
        )
        CallEvent.objects.update(received_at=LAST + HOUR)
    check(LAST + 2 * HOUR)
    with all_tenants("test"):
        row = QuietLine.objects.get()
    assert (row.state, row.refused, row.cause) == ("quiet", 1, "CallSid is missing.")


def test_a_zone_that_python_does_not_know_leaves_the_others_watched(
    line: PhoneNumber, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL may have another release of the IANA database."""
    other = make_line(timezone="Europe/Berlin")
    call_often(other, until=LAST)
    learn(NIGHT)
    monkeypatch.setattr("decisions.zones.ZoneInfo", only_utc)
    check(LAST + 2 * HOUR)
    assert missing() == {line.pk: ("watched", 4.0)}
    assert learn(NIGHT) == 1
    assert f"Line {other.pk} is not watched." in caplog.text


def only_utc(name: str) -> ZoneInfo:
    if name != "UTC":
        raise ZoneInfoNotFoundError
    return ZoneInfo(name)


def test_a_call_of_the_future_ends_no_silence(line: PhoneNumber) -> None:
    """A clock was wrong; the line would else not be watched until then."""
    make_call(line, created_at=LAST + 90 * DAY)
    check(LAST + 7 * HOUR)
    assert missing() == {line.pk: ("quiet", 14.0)}


def test_a_second_check_changes_nothing(line: PhoneNumber) -> None:
    for later in (7 * HOUR, 7 * HOUR, 7.1 * HOUR):
        check(LAST + later)
    with all_tenants("test"):
        row = QuietLine.objects.get()
        assert (row.noticed_at, row.last_call_at) == (LAST + 7 * HOUR, LAST)
        check(LAST + 7.05 * HOUR + CHECKS_KEPT_FOR)
        assert LineCheck.objects.count() == 2


def test_a_line_of_few_calls_has_no_baseline(line: PhoneNumber) -> None:
    rare = make_line()
    for days in range(5):
        make_call(rare, created_at=LAST - 7 * days * DAY)
    assert learn(NIGHT) == 1
    with all_tenants("test"):
        assert [usual.phone_id for usual in UsualCalls.objects.all()] == [line.pk]
    check(LAST + 300 * DAY)
    assert rare.pk not in missing()


def test_lines_learn_from_their_own_calls_alone(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    call_often(other_line, until=LAST - 21 * DAY)
    with tenant(line.pk):
        before = UsualCalls.objects.get().rates
    assert learn(NIGHT) == 2
    check(LAST + 7 * HOUR)
    with tenant(line.pk):
        assert UsualCalls.objects.get().rates == before
        assert QuietLine.objects.get().expected == pytest.approx(14, abs=0.5)
