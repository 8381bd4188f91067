"""A line's page: its calls, statistics and settings at a glance, above the form."""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Avg
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from analytics.definitions import definitions_of
from analytics.models import PhonePerformance
from analytics.outcomes import count_outcomes
from analytics.queries import daily
from analytics.summary import summary_as_of
from backoffice.counting import count_up_to
from backoffice.display import bullets, duration, list_link
from calls.admin.statistics_filter import calls_query
from calls.duration import lasted
from calls.intake.models import PROBLEMS, CallEvent
from calls.models import Call
from calls.outcomes import CallOutcome
from decisions.admin import rights
from decisions.admin.hours_preview import hours_preview_view, may_preview_hours
from decisions.admin.line_hours import line_hours
from decisions.admin.simulator import simulator_view
from desk.cards import Card, ago, list_of
from desk.charts import Chart
from desk.home import DAYS, calls_a_day
from tenancy import current_scope, tenant
from tenants.admin import PhoneNumberAdmin
from tenants.hours_rows import rows_of
from tenants.memberships import Membership
from tenants.models import (
    ApiKey,
    ConversationRule,
    NumberAssignment,
    PhoneNumber,
    Weekday,
)
from tenants.numbers import one_form
from tenants.opening_hours import WEEK
from tenants.rules.sentences import sentence

CALLS_SHOWN = 8
# The cards and the chart.
DEFINED = definitions_of(
    total_calls="Calls",
    unique_callers="Callers",
    success_rate="Completed",
    average_duration="Average call",
    successful_calls="Completed in the chart",
)
ROWS_SHOWN = 12
OUTCOMES_OF = datetime.timedelta(days=7)


class LinePage(PhoneNumberAdmin):
    change_form_template = "desk/line_page.html"
    hours_template = "decisions/opening_hours.html"

    def get_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> Any:
        fields = super().get_fields(request, obj)
        return (*fields, "records") if obj else fields

    def get_readonly_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "records") if obj else fields

    @admin.display(description="Records of this line")
    def records(self, line: PhoneNumber) -> SafeString:
        return bullets(
            [
                list_link("calls_call", "Calls", line=line.pk),
                list_link("calls_call", "Calls in progress", line=line.pk, status="live"),
                list_link("calls_callarchive", "Archived calls", line=line.pk),
                list_link("tenants_conversationrule", "Conversation rules", line=line.pk),
                list_link("analytics_dailycallstatsrow", "Daily statistics", line=line.pk),
                list_link("analytics_callanalyticsrow", "Hourly statistics", line=line.pk),
                list_link("analytics_phoneperformance", "Last 30 days", line=line.pk),
            ]
        )

    def get_urls(self) -> Any:
        simulate = path(
            "<path:object_id>/simulate/",
            self.admin_site.admin_view(self.simulate),
            name="tenants_phonenumber_simulate",
        )
        hours_preview = path(
            "<path:object_id>/hours/would-change/",
            self.admin_site.admin_view(self.hours_preview),
            name="tenants_phonenumber_hours_would_change",
        )
        return [simulate, hours_preview, *super().get_urls()]

    def simulate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return simulator_view(self, request, object_id)

    def hours_preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return hours_preview_view(request, self, object_id)

    def around_hours(self, line: PhoneNumber, request: HttpRequest) -> dict[str, Any]:
        if not may_preview_hours(request):
            return {}
        name = "admin:tenants_phonenumber_hours_would_change"
        return {"preview_address": reverse(name, args=[quote(line.pk)])}

    def around_form(self, row: PhoneNumber, request: HttpRequest) -> dict[str, Any]:
        return {"page": line_page(row, request)}


def line_page(line: PhoneNumber, request: HttpRequest) -> dict[str, Any]:
    """The context of desk/line_page.html; each part for those who may see its rows."""
    may = request.user.has_perm
    now = timezone.now()
    page: dict[str, Any] = {
        "line": line,
        "local_time": now.astimezone(ZoneInfo(line.timezone)),
        "cards": _performance(line, now) if may("analytics.view_phoneperformance") else [],
        "hours": [],
        "definitions": DEFINED,
    }
    # Nothing of another line can appear below, whatever scope staff work in.
    with tenant(line.pk):
        held = NumberAssignment.objects.filter(until__isnull=False).exclude(
            number=one_form(line.number)
        )
        page["former_numbers"] = list(held[:ROWS_SHOWN])
        if may("calls.view_call"):
            calls = Call.objects.defer("transcript").order_by("-created_at", "-id")
            page["calls"] = [
                {"call": call, "lasted": lasted(call)} for call in calls[:CALLS_SHOWN]
            ]
            page["calls_link"] = list_of("calls_call", line=line.pk)
            page["outcomes"] = _outcomes(line, now)
        if may("analytics.view_dailycallstatsrow"):
            page["chart"] = _chart(line, page["local_time"].date())
        if may("calls.view_callevent"):
            problems = CallEvent.objects.filter(outcome__in=PROBLEMS)
            page["problems"] = list(problems.defer("payload").order_by("-id")[:ROWS_SHOWN])
            page["problem_count"] = count_up_to(problems)
            page["problems_link"] = list_of("calls_callevent", line=line.pk, problem="yes")
        if may("tenants.view_businesshours"):
            page["hours"] = _week(line)
        if request.user.has_perms(rights.HOURS):
            page["opening"] = line_hours(line, request, now=now)
        if may("tenants.view_conversationrule"):
            rules = ConversationRule.objects.order_by("-priority", "created_at", "id")
            page["rules"] = [
                (rule, sentence(conditions=rule.conditions, actions=rule.actions))
                for rule in rules[:ROWS_SHOWN]
            ]
        if may("tenants.view_apikey"):
            page["api_keys"] = list(ApiKey.objects.order_by("-created_at", "-id")[:ROWS_SHOWN])
            page["now"] = now
        if may("tenants.view_membership"):
            page["members"] = list(Membership.objects.order_by("subject")[:ROWS_SHOWN])
    return page


def _outcomes(line: PhoneNumber, now: datetime.datetime) -> list[tuple[str, int, str]]:
    """How the calls of the last seven days ended: label, number and their list, most first."""
    since = now - OUTCOMES_OF
    counts = count_outcomes(since=since, until=now)
    days = calls_query(line=line.pk, since=since, until=now)
    return [
        (CallOutcome(value).label, count, list_of("calls_call", **days, outcome=value))
        for value, count in sorted(counts.items(), key=lambda item: -item[1])
        if count
    ]


def _performance(line: PhoneNumber, now: datetime.datetime) -> list[Card]:
    """The last 30 days of the line, with the average of all lines where all are in scope."""
    summary: Any = PhonePerformance.objects
    own = summary.filter(pk=line.pk).first()
    if own is None:
        return []
    means = {}
    if current_scope().phone_id is None:
        means = summary.aggregate(
            calls=Avg("total_calls"),
            callers=Avg("unique_callers"),
            seconds=Avg("avg_duration"),
            rate=Avg("success_rate"),
        )

    def beside(name: str, form: str) -> str:
        mean = means.get(name)
        if mean is None:
            return "last 30 days"
        text = duration(round(mean)) if form == "time" else format(float(mean), form)
        return f"average of all lines: {text}"

    mean_length = own.avg_duration
    length = "-" if mean_length is None else duration(round(mean_length))
    as_of = summary_as_of()
    link = list_of("analytics_phoneperformance", q=line.pk)
    return [
        Card("Calls", f"{own.total_calls:,}", beside("calls", ",.0f"), link),
        Card("Callers", f"{own.unique_callers:,}", beside("callers", ",.0f"), link),
        Card("Completed", f"{own.success_rate:.1f}%", beside("rate", ".1f"), link),
        Card("Average call", length, beside("seconds", "time"), link),
        Card("As of", ago(as_of, now) if as_of else "never", "30-day summary", link),
    ]


def _chart(line: PhoneNumber, today: datetime.date) -> Chart:
    first = today - datetime.timedelta(days=DAYS - 1)
    known = daily(first=first, last=today)
    return calls_a_day(known, today, line.timezone, line=line.pk)


def _week(line: PhoneNumber) -> list[tuple[str, str]]:
    """Monday to Sunday, with the time zone of hours that are not on the line's own clock."""
    hours = rows_of(line).hours.week
    week = []
    for number in WEEK:
        day = hours.get(number)
        text = str(day) if day else "Not set"
        if day and day.timezone not in ("", line.timezone) and not day.is_closed:
            text = f"{text} {day.timezone}"
        week.append((str(Weekday(number).label), text))
    return week


admin.site.unregister(PhoneNumber)
admin.site.register(PhoneNumber, LinePage)
