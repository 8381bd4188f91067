"""How values are written on the pages of the admin, and by commands."""

import datetime
import zoneinfo
from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString


def moment(at: datetime.datetime | None, timezone: str = "UTC") -> str:
    """UTC, and the line's local time: 2026-01-05 23:04:05 UTC (Tue 00:04 …)."""
    if at is None:
        return "-"
    utc = f"{at.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
    if timezone == "UTC":
        return utc
    return f"{utc} ({at.astimezone(zoneinfo.ZoneInfo(timezone)):%a %H:%M} {timezone})"


def duration(seconds: int | None) -> str:
    """Minutes and seconds, hours where there are any: 1:05, 2:00:00."""
    if seconds is None:
        return "-"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def plural(count: int, noun: str) -> str:
    """1 job, 12 jobs, 1,000 calls."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def list_link(model: str, text: str, **query: str) -> SafeString:
    """A link to a list of the admin, such as list_link("calls_call", "Calls", line=…)."""
    url = reverse(f"admin:{model}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(query), text)


def bullets(items: Iterable[SafeString | str]) -> SafeString:
    return format_html(
        '<ul class="backoffice-list">{}</ul>',
        format_html_join("", "<li>{}</li>", ((item,) for item in items)),
    )
