"""On a line's page: open or closed, the hours of 14 days, and the gaps in which calls came."""

import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from calls.admin.filters import write_periods
from decisions.admin import rights
from decisions.answer import hours_as_document
from decisions.calendar import Calendar
from decisions.closed_gaps import SPAN, Gap, closed_spans, gaps_of
from decisions.hours import hours_at
from decisions.hours_in_words import HoursInWords
from decisions.opening_strip import strip
from decisions.stored_settings import settings_of
from tenants.models import PhoneNumber

GAPS_SHOWN = 8


def line_hours(
    line: PhoneNumber, request: HttpRequest, *, now: datetime.datetime
) -> dict[str, Any]:
    """The context of decisions/line_hours.html; needs the line's scope."""
    stored = settings_of(line.pk)
    assert stored is not None, "the line is in scope"
    calendar = Calendar(stored.line_settings)
    hours = hours_as_document(hours_at(calendar, now))
    shown: dict[str, Any] = {
        "now": HoursInWords(hours, stored.document, at=now),
        "days": strip(calendar, stored.document, now=now),
    }
    shown["may_try"] = request.user.has_perms(rights.DECISIONS)
    if calendar.is_set and request.user.has_perm("calls.view_call"):
        spans = closed_spans(calendar, stored.document, now=now)
        gaps = [gap for gap in gaps_of(line.pk, spans) if gap.calls]
        shown["gaps"] = [(gap, calls_of(gap, line)) for gap in gaps[:GAPS_SHOWN]]
        shown["other_gaps"] = gaps[GAPS_SHOWN:]
        shown["other_calls"] = sum(gap.calls for gap in gaps[GAPS_SHOWN:])
        shown["gap_days"] = SPAN.days
    return shown


def calls_of(gap: Gap, line: PhoneNumber) -> str:
    """The address of the list of the calls that came in this gap."""
    within = write_periods((span.begins, span.ends) for span in gap.spans)
    query = urlencode({"line": line.pk, "within": within})
    return f"{reverse('admin:calls_call_changelist')}?{query}"
