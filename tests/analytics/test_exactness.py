"""Whatever happens to calls, and whenever it is rolled up, reads equal SQL over the raw rows."""

import uuid
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.reading import Counts, daily, hourly, total
from analytics.rollups import roll_up
from calls.models import Call
from tenants.models import PhoneNumber
from tenants.scoping import all_tenants, tenant

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
        st.tuples(st.just("restore"), moments),
        st.tuples(st.just("timezone"), st.sampled_from(ZONES)),
        st.tuples(st.just("roll up"), st.integers(1, 3)),
        st.tuples(
            st.just("read"),
        ),
    ),
    max_size=25,
)

COLUMNS = "id, phone_id, caller_number, call_sid, status, duration, created_at, updated_at"
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


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
# 00:30 happens twice that night; the first one is an hour before PostgreSQL's 00:00.
@example(
    steps=[
        ("timezone", "America/Havana"),
        ("ring", datetime(2024, 11, 3, 4, 30, tzinfo=UTC), "a", 5),
        ("read",),
    ]
)
def test_reads_equal_the_raw_rows_under_any_interleaving(
    line: PhoneNumber, other_line: PhoneNumber, partitions: None, steps: list[tuple[Any, ...]]
) -> None:
    try:
        with transaction.atomic():
            for step in steps:
                with all_tenants("test"):
                    _take(line, other_line, step)
                if step[0] == "read":
                    _compare(line)
            _compare(line)
            with all_tenants("test"):
                roll_up()
            _compare(line)
            with tenant(line.pk), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM rollup_queue")
                assert cursor.fetchone() == (0,)
            raise Stop
    except Stop:
        pass


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


def _compare(line: PhoneNumber) -> None:
    with tenant(line.pk):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT created_at, status, duration, caller_number FROM calls"
                " UNION ALL SELECT created_at, status, duration, caller_number FROM calls_archive"
            )
            calls = cursor.fetchall()
        first, last = BEGIN.date() - timedelta(days=3), (BEGIN + SPAN).date() + timedelta(days=3)
        since, until = BEGIN - timedelta(days=1), BEGIN + SPAN + timedelta(days=1)
        zone = ZoneInfo(PhoneNumber.objects.get().timezone)
        hours: dict[datetime, list[Any]] = defaultdict(list)
        days: dict[date, list[Any]] = defaultdict(list)
        for call in calls:
            hours[call[0].replace(minute=0, second=0, microsecond=0)].append(call)
            days[call[0].astimezone(zone).date()].append(call)
        assert hourly(since=since, until=until) == {h: _count(c) for h, c in hours.items()}
        assert daily(first=first, last=last) == {d: _count(c) for d, c in days.items()}
        assert total(since=since, until=until) == _count(calls)


def _count(calls: list[Any]) -> Counts:
    durations = [duration for _, _, duration, _ in calls]
    with connection.cursor() as cursor:
        cursor.execute("SELECT round(avg(d), 2) FROM unnest(%s::int[]) AS d", [durations])
        average = cursor.fetchone()[0]
    return Counts(
        total_calls=len(calls),
        answered_calls=sum(status in {"answered", "completed"} for _, status, _, _ in calls),
        successful_calls=sum(status == "completed" for _, status, _, _ in calls),
        total_duration=sum(durations),
        average_duration=average,
        unique_callers=len({caller for *_, caller in calls}),
    )
