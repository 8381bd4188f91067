"""Whatever happens to calls, and whenever it is rolled up, reads equal SQL over the raw rows."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.api.series import read_days, read_hours
from analytics.queries import GROUPS, Counts, Sums, daily_sums
from analytics.rollups import roll_up
from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber

# Around a change of the clocks in most of the zones below, Havana's over midnight.
BEGIN = datetime(2024, 11, 1, tzinfo=UTC)
SPAN = timedelta(days=4)
ZONES = ["UTC", "America/Havana", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Apia"]

moments = st.integers(0, int(SPAN.total_seconds()) * 4).map(
    lambda q: BEGIN + timedelta(seconds=q / 4)
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ring"), moments, st.sampled_from("abc"), st.integers(0, 600)),
        st.tuples(st.just("move"), st.integers(0, 50), moments),
        st.tuples(st.just("end"), st.integers(0, 50), st.sampled_from(["completed", "failed"])),
        st.tuples(st.just("delete"), st.integers(0, 50)),
        st.tuples(st.just("archive"), moments),
        st.tuples(
            st.just("time out"), st.integers(0, 9), st.sampled_from([None, "busy", "timed-out"])
        ),
        st.tuples(st.just("restore"), moments),
        st.tuples(st.just("timezone"), st.sampled_from(ZONES)),
        st.tuples(st.just("roll up"), st.integers(1, 3)),
        st.tuples(
            st.just("read"),
        ),
    ),
    max_size=25,
)

COLUMNS = (
    "id, phone_id, caller_number, call_sid, status, provider_status, duration, created_at,"
    " updated_at"
)
MOVE = f"""
WITH gone AS (DELETE FROM {{}} WHERE created_at < %s RETURNING {COLUMNS})
INSERT INTO {{}} ({COLUMNS}) SELECT * FROM gone
"""


class Stop(Exception):
    """Rolls an example back."""


@pytest.fixture
def partitions(line: PhoneNumber) -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT app.create_archive_partitions(%s, %s)", [BEGIN - SPAN, BEGIN + 2 * SPAN]
        )


@pytest.mark.rounds(15, soak=60)
def test_reads_equal_the_raw_rows_under_any_interleaving(
    rounds: int,
    line: PhoneNumber,
    other_line: PhoneNumber,
    partitions: None,
    record_figures: Callable[[str], None],
) -> None:
    reads: Counter[str] = Counter()

    @settings(max_examples=rounds, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps=steps)
    # 00:30 happens twice that night; the first one is an hour before PostgreSQL's 00:00.
    @example(
        steps=[
            ("timezone", "America/Havana"),
            ("ring", datetime(2024, 11, 3, 4, 30, tzinfo=UTC), "a", 5),
            ("read",),
        ]
    )
    def interleave(steps: list[tuple[Any, ...]]) -> None:
        with suppress(Stop), transaction.atomic():
            for step in steps:
                with all_tenants("test"):
                    _take(line, other_line, step)
                if step[0] == "read":
                    reads.update(_compare(line))
            reads.update(_compare(line))
            with all_tenants("test"):
                roll_up()
            reads.update(_compare(line))
            reads["interleavings"] += 1
            with tenant(line.pk), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM rollup_queue")
                assert cursor.fetchone() == (0,)
            raise Stop

    interleave()
    record_figures(
        "statistics against raw rows: {interleavings:,} interleavings, {reads:,} reads,"
        " {buckets:,} buckets".format_map(reads)
    )


def _take(line: PhoneNumber, other_line: PhoneNumber, step: tuple[Any, ...]) -> None:
    match step:
        case ("ring", moment, caller, duration):
            for owner in (line, other_line):
                call = Call(phone=owner, caller_number=caller, call_sid=str(uuid.uuid4()))
                call.status, call.duration, call.created_at = "ringing", duration, moment
                call.save(force_insert=True)
        case ("move", n, moment):
            _nth(line, n).update(created_at=moment)
        case ("end", n, status):
            _nth(line, n).filter(status="ringing").update(status=status)
        case ("time out", n, word):
            _nth(line, n).filter(status__in=["completed", "failed"]).update(provider_status=word)
        case ("delete", n):
            _nth(line, n).delete()
        case ("archive", moment):
            with connection.cursor() as cursor:
                cursor.execute(MOVE.format("calls", "calls_archive"), [moment])
        case ("restore", moment):
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM app.archived_call_sids")
                cursor.execute(MOVE.format("calls_archive", "calls"), [moment])
        case ("timezone", name):
            line.timezone = name
            line.save()
        case ("roll up", batch):
            roll_up(batch_hours=batch, stop=iter([False, False, True, True] * 50).__next__)


def _nth(line: PhoneNumber, n: int) -> Any:
    ids = list(Call.objects.filter(phone=line).order_by("call_sid").values_list("pk", flat=True))
    return Call.objects.filter(pk=ids[n % len(ids)]) if ids else Call.objects.none()


def _calls_in_scope() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.created_at, status, provider_status, duration, caller_number, timezone"
            " FROM ("
            f" SELECT {COLUMNS} FROM calls UNION ALL SELECT {COLUMNS} FROM calls_archive"
            ") AS c JOIN phone_numbers AS p ON p.id = phone_id"
        )
        return [(*call, ZoneInfo(zone)) for *call, zone in cursor.fetchall()]


FIRST, LAST = BEGIN.date() - timedelta(days=3), (BEGIN + SPAN).date() + timedelta(days=3)
SINCE, UNTIL = BEGIN - timedelta(days=1), BEGIN + SPAN + timedelta(days=1)
# The bucket of a moment on a wall clock, for each group that days and hours can be asked by.
BUCKETS: dict[str, Callable[[datetime], object]] = {
    "day": lambda at: at.date(),
    "week": lambda at: at.date() - timedelta(days=at.weekday()),
    "month": lambda at: at.date().replace(day=1),
    "weekday": lambda at: at.isoweekday() % 7,
    "hour_of_day": lambda at: at.hour,
    "hour": lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:00:00.000000Z"),
}


def _compare(line: PhoneNumber) -> dict[str, int]:
    """What the endpoints answer for one line, and sums over both; how much it compared."""
    buckets = 0
    assert set(BUCKETS) == set(GROUPS)
    with tenant(line.pk):
        calls = _calls_in_scope()
        own = PhoneNumber.objects.get().timezone
        for clock, group_by in [(own, group) for group in BUCKETS] + [("Asia/Tokyo", "day")]:
            zone = ZoneInfo(clock)
            if group_by in {"hour", "hour_of_day"}:
                period = read_hours(since=SINCE, until=UNTIL, timezone=clock, group_by=group_by)
            else:
                period = read_days(
                    first=FIRST,
                    last=LAST,
                    timezone=clock,
                    group_by=group_by,
                    week_start="monday",
                    is_own=clock == own,
                )
            expected: dict[str, list[Any]] = defaultdict(list)
            for call in calls:
                expected[str(BUCKETS[group_by](call[0].astimezone(zone)))].append(call)
            found = {bucket.pop("bucket"): bucket for bucket in period["buckets"]}
            assert expected.keys() <= found.keys()
            assert found == {bucket: _shown(_count(expected[bucket])) for bucket in found}
            assert period["total"] == _shown(_count(calls))
            buckets += len(found) + 1
    with all_tenants("test"):
        calls = _calls_in_scope()
        by_day = defaultdict(list)
        for call in calls:
            by_day[call[0].astimezone(call[-1]).date()].append(call)
        assert daily_sums(first=FIRST, last=LAST) == _sums(by_day)
    return {"reads": 1, "buckets": buckets + len(by_day)}


def _shown(counts: Counts) -> dict[str, Any]:
    average = counts.average_duration
    return asdict(counts) | {"average_duration": None if average is None else float(average)}


def _sums(buckets: dict[Any, list[Any]]) -> dict[Any, Sums]:
    counts = {bucket: _count(calls) for bucket, calls in buckets.items()}
    return {
        bucket: Sums(
            c.total_calls,
            c.answered_calls,
            c.successful_calls,
            c.live_calls,
            c.measured_calls,
            c.total_duration,
        )
        for bucket, c in counts.items()
    }


def _count(calls: list[Any]) -> Counts:
    durations = [
        duration
        for _, status, word, duration, *_ in calls
        if status in {"completed", "failed"} and word != "timed-out"
    ]
    average = Decimal(sum(durations)) / len(durations) if durations else None
    return Counts(
        total_calls=len(calls),
        answered_calls=sum(status in {"answered", "completed"} for _, status, *_ in calls),
        successful_calls=sum(
            status == "completed" and word != "timed-out" for _, status, word, *_ in calls
        ),
        live_calls=sum(status in {"ringing", "answered"} for _, status, *_ in calls),
        measured_calls=len(durations),
        total_duration=sum(durations),
        average_duration=None
        if average is None
        else average.quantize(Decimal("0.01"), ROUND_HALF_UP),
        unique_callers=len({caller for *_, caller, _ in calls}),
    )
