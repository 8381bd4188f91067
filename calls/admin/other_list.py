"""One history in two lists: how many calls of the other one a search finds, live or archived."""

import copy
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from backoffice.counting import RowCount, count_up_to
from backoffice.filters import FormFilter
from backoffice.paging import COUNT_LIMIT, KeysetChangeList, TooSlow, time_limit

MAX_COUNT = 20


@dataclass(frozen=True)
class OtherList:
    """Where it is, and in words how many calls it shows there; "" where nothing is looked for."""

    link: str
    matches: str = ""


class _Matches(KeysetChangeList):
    """Rows that are counted up to a cap, and not read."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = []
        try:
            with time_limit(COUNT_LIMIT):
                self.row_count = count_up_to(self.queryset, MAX_COUNT)
        except TooSlow:
            self.is_too_slow = True


def other_list(
    model_admin: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    query: QueryDict,
    *,
    beside: KeysetChangeList,
) -> OtherList:
    """The list of this model admin with the filters of the one that is shown."""
    address = reverse(f"admin:calls_{model_admin.opts.model_name}_changelist")
    if not query:
        return OtherList(address)
    link = f"{address}?{query.urlencode()}"
    if not beside.is_filtered or _is_refused(beside) or beside.params.get("status") == "live":
        return OtherList(link)
    return OtherList(link, in_words(_count(model_admin, request, query)))


def in_words(found: RowCount | None) -> str:
    if found is None:
        return "may match, too many to look through"
    if not found.number:
        return "none match"
    return f"{found} {'matches' if str(found) == '1' else 'match'}"


def _is_refused(shown: KeysetChangeList) -> bool:
    """Whether a filter of it says that what was typed makes no sense."""
    forms = [spec.form for spec in shown.filter_specs if isinstance(spec, FormFilter)]
    return any(form.is_bound and not form.is_valid() for form in forms)


def _count(
    model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, query: QueryDict
) -> RowCount | None:
    """None when it takes too long to find."""
    asked = copy.copy(request)
    asked.GET = query  # type: ignore[assignment]
    counting = copy.copy(model_admin)
    counting.get_changelist = lambda *_, **__: _Matches  # type: ignore[method-assign]
    matches: Any = counting.get_changelist_instance(asked)
    found: RowCount | None = matches.row_count
    return found
