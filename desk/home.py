"""The home page: today's calls, and what needs attention."""

import datetime
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analytics.definitions import definitions_of
from analytics.overview import quiet_lines
from analytics.queries import Counts, Sums, daily_sums
from backoffice.counting import count_up_to
from backoffice.display import duration, plural
from backoffice.paging import TooSlow, time_limit
from calls.models import Call
from desk import cards
from desk.cards import Card, clock_in_scope, list_of
from desk.charts import Bar, Chart, draw
from tenancy import current_scope
from tenants.models import PhoneNumber

# Seconds for one part of the page; a slow part shows that it timed out and delays no other.
TIME_LIMIT = 1.5
DAYS = 30
LIVE_SHOWN = 8
# The charts.
DEFINED = definitions_of(
    total_calls="Calls", successful_calls="Completed", total_duration="Duration"
)
# A line without calls is quiet if it had at least this many in the same 24 hours a week ago.
MIN_CALLS_A_WEEK_AGO = 3
QUIET_SHOWN = 6

# The permission, title and function of each part.
PARTS: list[tuple[str, str, Callable[[datetime.datetime], list[Card]]]] = [
    ("calls.view_call", "Calls today", cards.calls_today),
    ("calls.review_call", "Waiting for review", cards.waiting_for_review),
    ("calls.view_callevent", "Inbox problems", cards.inbox_problems),
    ("calls.view_archiverun", "Archive", cards.last_archive),
    ("jobs.view_job", "Roll-up", cards.last_roll_up),
    ("analytics.view_phoneperformance", "30-day summary", cards.last_summary),
]


def add_home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What Unfold's dashboard callback adds to the index page."""
    now = timezone.now()
    may = request.user.has_perm
    shown: list[Card] = []
    for permission, title, make in PARTS:
        if may(permission):
            shown += _in_time(partial(make, now)) or [Card(title, "…", "timed out")]
    context |= {"cards": shown, "charts": [], "quiet": None}
    if may("calls.view_call"):
        context |= live_calls(now)
    if may("analytics.view_dailycallstatsrow"):
        drawn = _in_time(lambda: charts(last_today(now)))
        context |= {
            "charts": drawn or [],
            "charts_are_late": drawn is None,
            "definitions": DEFINED,
        }
    if may("tenants.view_phonenumber") and may("calls.view_call"):
        quiet = _in_time(lambda: [quiet_lines(now=now, min_calls=MIN_CALLS_A_WEEK_AGO)])
        context["quiet"] = quiet[0][:QUIET_SHOWN] if quiet else None
        context["more_quiet"] = max(0, len(quiet[0]) - QUIET_SHOWN) if quiet else 0
    return context


def _in_time(make: Callable[[], list[Any]]) -> list[Any] | None:
    try:
        with time_limit(TIME_LIMIT):
            return make()
    except TooSlow:
        return None


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The calls in progress, which the home page polls."""
    if not request.user.has_perm("calls.view_call"):
        return HttpResponse(status=403)
    return TemplateResponse(request, "desk/live.html", live_calls(timezone.now()))


def live_calls(now: datetime.datetime) -> dict[str, Any]:
    calls = Call.objects.live()
    rows = (
        calls.select_related("phone")
        .defer("transcript", "ai_summary")
        .order_by("-created_at", "-id")[:LIVE_SHOWN]
    )
    return {
        "live_count": count_up_to(calls),
        "live_rows": [
            {"call": call, "since": duration(int((now - call.created_at).total_seconds()))}
            for call in rows
        ],
        "live_link": list_of("calls_call", status="live"),
        "live_url": reverse("desk:live"),
        "now": now,
        "clock": clock_in_scope(),
    }


def last_today(now: datetime.datetime) -> datetime.date:
    """The date where it is latest among the lines in scope; UTC's without lines."""
    # Not distinct(): the lines' own order would join it.
    clocks = PhoneNumber.objects.order_by().values_list("timezone", flat=True).distinct()
    return max((now.astimezone(ZoneInfo(clock)).date() for clock in clocks), default=now.date())


def charts(today: datetime.date) -> list[Chart]:
    """The last 30 days on each line's own clock, up to the latest of their todays."""
    first = today - datetime.timedelta(days=DAYS - 1)
    known = daily_sums(first=first, last=today)
    days_of = clock_in_scope() if current_scope().phone_id else "each line's own clock"
    return [calls_a_day(known, today, days_of), _minutes_a_day(known, today, days_of)]


def calls_a_day(
    known: Mapping[datetime.date, Sums | Counts], today: datetime.date, days_of: str, **only: str
) -> Chart:
    """days_of: whose days these are; only: further filters of the lists that the bars link to."""
    bars = []
    for day in _days_until(today):
        totals = known.get(day, Sums())
        calls, completed = totals.total_calls, totals.successful_calls
        date = f"{day.day} {day:%b}"
        description = f"{day:%a} {date}: {plural(calls, 'call')}, {completed:,} completed"
        bars.append(Bar(date, calls, completed, description, _rows_of(day, **only)))
    return draw("Calls per day", f"days of {days_of}; filled part: completed", bars)


def _minutes_a_day(
    known: Mapping[datetime.date, Sums | Counts], today: datetime.date, days_of: str
) -> Chart:
    bars = []
    for day in _days_until(today):
        minutes = known.get(day, Sums()).total_duration / 60
        description = f"{day:%a} {day.day} {day:%b}: {minutes:,.0f} minutes"
        bars.append(Bar(f"{day.day} {day:%b}", minutes, minutes, description, _rows_of(day)))
    return draw("Minutes per day", f"days of {days_of}; calls whose length is known", bars)


def _days_until(today: datetime.date) -> list[datetime.date]:
    return [today - datetime.timedelta(days=n) for n in reversed(range(DAYS))]


def _rows_of(day: datetime.date, **only: str) -> str:
    return list_of("analytics_dailycallstatsrow", first=day, last=day, **only)
