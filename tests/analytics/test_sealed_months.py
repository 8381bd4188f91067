"""Numbers of calls that drop_archive took away stand, until load_archive brings them back."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from analytics.models import DailyCallStats
from analytics.queries import Counts, daily, grouped, hourly, total
from calls.archival.dropping import drop_month, months_before
from calls.archival.loading import load_file
from calls.models import Call, SealedMonth
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.factories import archive, make_call

JUNE, JULY = datetime(2023, 6, 1, tzinfo=UTC), datetime(2023, 7, 1, tzinfo=UTC)
AUGUST = datetime(2023, 8, 1, tzinfo=UTC)
TWICE, ONCE = "+14155550001", "+14155550002"
CALLS = [
    (JUNE + timedelta(hours=10, minutes=5), TWICE, 10),
    (JUNE + timedelta(hours=10, minutes=50), TWICE, 20),
    (JUNE + timedelta(hours=13, minutes=40), ONCE, 30),
    (JULY - timedelta(minutes=30), TWICE, 40),
    (JULY + timedelta(hours=1), ONCE, 50),
    (JULY + timedelta(hours=36), TWICE, 60),
]
FILE = "calls_archive_2023_06.csv.gz"


@pytest.fixture
def history(line: PhoneNumber) -> None:
    """Four calls of June and two of July, archived and rolled up."""
    for created_at, caller, duration in CALLS:
        archive(make_call(line, created_at=created_at, caller_number=caller, duration=duration))
    roll_up()


def roll_up(*arguments: str) -> None:
    call_command("roll_up_calls", *arguments, stdout=StringIO())


def drop_june(directory: Path) -> None:
    with all_tenants("test"):
        [june] = months_before(JULY)
    drop_month(june, directory=directory, started_by="test")


@pytest.fixture
def dropped(history: None, tmp_path: Path) -> Path:
    drop_june(tmp_path)
    return tmp_path / FILE


def read(line: PhoneNumber) -> tuple[dict[datetime, Counts], dict[date, Counts]]:
    with tenant(line.pk):
        days = daily(first=JUNE.date() - timedelta(days=2), last=AUGUST.date())
        return hourly(since=JUNE, until=AUGUST), days


def calls_and_callers(days: dict[Any, Counts]) -> dict[str, tuple[int, int | None]]:
    return {
        str(bucket): (counts.total_calls, counts.unique_callers) for bucket, counts in days.items()
    }


def test_a_month_that_is_not_rolled_up_is_not_dropped(line: PhoneNumber, tmp_path: Path) -> None:
    archive(make_call(line, created_at=JUNE))
    drop = ["drop_archive", "--older-than=1 year", f"--directory={tmp_path}"]
    with pytest.raises(CommandError, match=r"2023_06 are not complete yet: run roll_up_calls"):
        call_command(*drop)
    roll_up()
    call_command(*drop, stdout=StringIO())
    with all_tenants("test"):
        assert SealedMonth.objects.get().calls == 1


def test_numbers_of_a_dropped_month_survive_a_rebuild(
    line: PhoneNumber, history: None, tmp_path: Path
) -> None:
    before = read(line)
    drop_june(tmp_path)
    assert read(line) == before
    roll_up("--rebuild")
    assert read(line) == before


def test_a_range_over_a_dropped_month_adds_up_without_its_callers(
    line: PhoneNumber, history: None, tmp_path: Path
) -> None:
    def range_and_months() -> list[Counts]:
        months: Any = {"group_by": "month", "timezone": "UTC"}
        with tenant(line.pk):
            by_month = grouped(since=JUNE, until=AUGUST, **months)
            return [total(since=JUNE, until=AUGUST), *by_month.values()]

    before = range_and_months()
    drop_june(tmp_path)
    after = range_and_months()
    assert [counts.unique_callers for counts in before] == [2, 2, 2]
    assert [counts.unique_callers for counts in after] == [None, None, 2]
    for counts, was in zip(after, before, strict=True):
        assert vars(counts) | {"unique_callers": None} == vars(was) | {"unique_callers": None}


def test_a_late_call_of_a_dropped_month_is_not_counted(line: PhoneNumber, dropped: Path) -> None:
    before = read(line)
    make_call(line, created_at=CALLS[0][0])
    make_call(line, created_at=JUNE + timedelta(days=9))
    assert read(line) == before
    roll_up()
    assert read(line) == before


def test_another_line_still_counts_its_calls_of_that_month(
    other_line: PhoneNumber, dropped: Path
) -> None:
    make_call(other_line, created_at=JUNE)
    roll_up()
    hours, days = read(other_line)
    assert list(hours) == [JUNE]
    assert list(days) == [JUNE.date()]


@pytest.mark.parametrize(
    ("timezone", "days"),
    [
        ("UTC", {"2023-06-01": (3, 2), "2023-06-30": (1, 1), "2023-07-01": (1, 1)}),
        # Half past eleven in the evening of June, UTC, and one o'clock of July.
        ("Europe/Berlin", {"2023-06-01": (3, None), "2023-07-01": (2, None)}),
        ("America/New_York", {"2023-06-01": (3, None), "2023-06-30": (2, None)}),
        # Midnight there is 13:30 UTC: the hour of the call at 13:40 goes whole with its beginning.
        ("Australia/Lord_Howe", {"2023-06-01": (3, None), "2023-07-01": (2, None)}),
    ],
)
def test_days_of_a_dropped_month_are_cut_again_on_another_clock(
    line: PhoneNumber, dropped: Path, timezone: str, days: dict[str, tuple[int, int | None]]
) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone=timezone)
    expected = days | {"2023-07-02": (1, 1)}
    assert calls_and_callers(read(line)[1]) == expected
    roll_up("--batch-hours=1")
    assert calls_and_callers(read(line)[1]) == expected
    roll_up("--rebuild")
    assert calls_and_callers(read(line)[1]) == expected
    with all_tenants("test"):
        at_most = DailyCallStats.objects.get(date="2023-06-01")
    assert at_most.callers_exact == (timezone == "UTC")
    assert at_most.unique_callers == 2


def test_a_day_that_is_partly_dropped_follows_the_calls_that_are_left(
    line: PhoneNumber, history: None, tmp_path: Path
) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone="Europe/Berlin")
    roll_up()
    drop_june(tmp_path)
    day = date(2023, 7, 1)
    roll_up("--rebuild")
    assert read(line)[1][day].unique_callers == 2
    make_call(line, created_at=JULY + timedelta(hours=2), duration=5)
    for _ in range(2):
        counts = read(line)[1][day]
        assert (counts.total_calls, counts.total_duration) == (3, 95)
        assert counts.unique_callers is None
        roll_up()


def test_loading_the_file_opens_the_month_again(line: PhoneNumber, dropped: Path) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone="America/New_York")
    roll_up()
    load_file(dropped, started_by="test")
    assert calls_and_callers(read(line)[1])["2023-06-30"] == (2, 2)
    make_call(line, created_at=JUNE + timedelta(hours=12))
    roll_up()
    assert calls_and_callers(read(line)[1])["2023-06-01"] == (4, 3)
    with all_tenants("test"):
        assert not SealedMonth.objects.exists()


def test_a_month_of_two_files_stays_sealed_until_both_are_loaded(
    line: PhoneNumber, dropped: Path, tmp_path: Path
) -> None:
    # A legal hold kept this one; it is archived and dropped later than the others.
    archive(make_call(line, created_at=CALLS[0][0]))
    roll_up()
    (tmp_path / "later").mkdir()
    drop_june(tmp_path / "later")
    with all_tenants("test"):
        assert SealedMonth.objects.get().calls == 5
    before = read(line)
    load_file(dropped, started_by="test")
    load_file(dropped, started_by="test")
    roll_up("--rebuild")
    assert read(line) == before
    load_file(tmp_path / "later" / FILE, started_by="test")
    assert calls_and_callers(read(line)[0])["2023-06-01 10:00:00+00:00"] == (3, 2)


def test_the_truth_check_leaves_dropped_months_out(line: PhoneNumber, dropped: Path) -> None:
    make_call(line, created_at=CALLS[0][0])
    roll_up()
    call_command("verify_stats", stdout=StringIO())
    with all_tenants("test"):
        Call.objects.all().delete()


def test_a_deleted_line_takes_its_seals_along(line: PhoneNumber, dropped: Path) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).delete()
        assert not SealedMonth.objects.exists()
