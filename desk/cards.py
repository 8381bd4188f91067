"""The numbers on the home page; each links to the rows it counts, in the request's scope."""

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.http import urlencode
from procrastinate.contrib.django.models import ProcrastinateEvent

from analytics.overview import total_of_range
from analytics.queries import midnight
from analytics.summary import summary_as_of
from backoffice.counting import count_up_to
from backoffice.display import plural
from calls.archival.models import ArchiveRun, RunKind, RunState
from calls.intake.models import PROBLEMS, CallEvent
from calls.models import LOW_CONFIDENCE
from calls.reviews.queue import REVIEW_WINDOW, waiting
from tenancy import current_scope
from tenants.models import PhoneNumber

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)
WEEK = datetime.timedelta(days=7)


@dataclass
class Card:
    """One number: tone is "bad" where something needs attention."""

    title: str
    value: str
    note: str = ""
    link: str | None = None
    tone: str = ""


def list_of(model: str, **query: object) -> str:
    """The address of a list, such as list_of("calls_call", status="live")."""
    words = {name: str(value) for name, value in query.items()}
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(words)}"


def clock_in_scope() -> str:
    """The time zone of the line in scope; UTC over all lines."""
    return PhoneNumber.objects.get().timezone if current_scope().phone_id else "UTC"


def calls_today(now: datetime.datetime) -> list[Card]:
    """Today's calls and failures, compared with the same weekday up to the same time.

    The day is that of the line in scope; over all lines it is the day of UTC.
    """
    clock = clock_in_scope()
    day = now.astimezone(ZoneInfo(clock)).date()
    since, until = midnight(day, clock), midnight(day + DAY, clock)
    today = total_of_range(since=since, until=until)
    before = total_of_range(since=midnight(day - WEEK, clock), until=now - WEEK).total_calls
    days = {"first": day, "last": day}
    rate = today.failed_calls / today.total_calls if today.total_calls else 0
    last_week = f"{before:,} by this time last {day:%A} ({clock})"
    return [
        Card("Calls today", f"{today.total_calls:,}", last_week, list_of("calls_call", **days)),
        Card(
            "Failed today",
            f"{rate:.1%}",
            f"{today.failed_calls:,} of {plural(today.total_calls, 'call')}",
            list_of("calls_call", status="failed", **days),
            "bad" if rate > 0.1 else "",
        ),
    ]


def waiting_for_review(now: datetime.datetime) -> list[Card]:
    count = count_up_to(waiting(now=now))
    return [
        Card(
            "Waiting for review",
            str(count),
            f"confidence below {LOW_CONFIDENCE}, last {REVIEW_WINDOW.days} days",
            reverse("desk:review"),
        )
    ]


def inbox_problems(now: datetime.datetime) -> list[Card]:
    count = count_up_to(CallEvent.objects.filter(outcome__in=PROBLEMS))
    return [
        Card(
            "Inbox problems",
            str(count),
            "events that were not applied",
            list_of("calls_callevent", problem="yes"),
            "bad" if count.number else "",
        )
    ]


def last_archive(now: datetime.datetime) -> list[Card]:
    """The last run over all lines, or of the line in scope."""
    line = current_scope().phone_id
    run = ArchiveRun.objects.filter(kind=RunKind.ARCHIVE, phone=line).order_by("-id").first()
    if run is None:
        scope = "over all lines" if line is None else "for this line"
        return [Card("Archive", "never", f"no run {scope} yet", list_of("calls_archiverun"))]
    link = reverse("admin:calls_archiverun_change", args=[run.pk])
    tone = "bad" if run.outcome in (RunState.FAILED, RunState.INTERRUPTED) else ""
    note = f"{plural(run.calls, 'call')}, {run.outcome}"
    return [Card("Archive", ago(run.started_at, now), note, link, tone)]


def last_roll_up(now: datetime.datetime) -> list[Card]:
    at = (
        ProcrastinateEvent.objects.filter(
            type="succeeded", job__task_name="analytics.tasks.roll_up_calls"
        )
        .order_by("-id")
        .values_list("at", flat=True)
        .first()
    )
    link = list_of("jobs_job", task_name="analytics.tasks.roll_up_calls")
    return [_job("Roll-up", at, now, link, "hourly and daily statistics")]


def last_summary(now: datetime.datetime) -> list[Card]:
    link = list_of("analytics_phoneperformance")
    return [_job("30-day summary", summary_as_of(), now, link, "performance of each line")]


def _job(
    title: str, at: datetime.datetime | None, now: datetime.datetime, link: str, note: str
) -> Card:
    late = at is None or now - at > datetime.timedelta(hours=2)
    return Card(title, ago(at, now) if at else "never", note, link, "bad" if late else "")


def ago(at: datetime.datetime, now: datetime.datetime) -> str:
    """In one unit, as short as a card needs it: 5 min ago."""
    minutes = int((now - at) / MINUTE)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h ago"
    return f"{hours // 24} days ago"
