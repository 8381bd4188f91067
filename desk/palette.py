"""What somebody types or pastes into the command palette, turned into the page it means."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from unfold.dataclasses import SearchResult

from backoffice.paging import TooSlow, time_limit
from calls.models import Call, CallArchive
from calls.search.terms import calls_named
from tenants.line_search import lines_that_match
from tenants.models import PhoneNumber

# Rows of each kind; the rest is behind the link to the list.
SHOWN = 5
# Seconds for all that is looked up.
TIME_LIMIT = 2


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """Lines and calls, live and archived, in the request's scope, that this user may see."""
    try:
        with time_limit(TIME_LIMIT):
            return [*_lines(request, term), *_calls(request, term)]
    except TooSlow:
        return []


def _may_see(request: HttpRequest, model: Any) -> bool:
    return admin.site.get_model_admin(model).has_view_permission(request)


def _lines(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    if not _may_see(request, PhoneNumber):
        return
    for line in PhoneNumber.objects.filter(lines_that_match(term)).order_by("business_name")[
        :SHOWN
    ]:
        yield SearchResult(
            title=str(line),
            description=f"Line {line.pk}",
            link=reverse("admin:tenants_phonenumber_change", args=[quote(line.pk)]),
            icon="call",
        )


def _calls(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    for model, name in ((Call, "call"), (CallArchive, "callarchive")):
        if not _may_see(request, model):
            continue
        manager: Any = model.objects
        rows: QuerySet[Any] = manager.filter(calls_named(term)).select_related("phone")
        found = list(rows.defer("transcript", "ai_summary").order_by("-created_at", "-id")[:SHOWN])
        for call in found:
            yield SearchResult(
                title=str(call),
                description=f"{call.status}, {call.phone}",
                link=reverse(f"admin:calls_{name}_change", args=[call.pk]),
                icon="inventory_2" if model is CallArchive else "phone_callback",
            )
        if len(found) == SHOWN:
            yield SearchResult(
                title=f"All {model._meta.verbose_name_plural} that match",
                description=term,
                link=f"{reverse(f'admin:calls_{name}_changelist')}?{urlencode({'q': term})}",
                icon="search",
            )
