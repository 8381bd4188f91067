"""Change lists with keyset pagination, without offsets or full counts."""

import base64
import binascii
import datetime
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import messages
from django.contrib.admin import DateFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import OperationalError, connection, models, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import capfirst
from psycopg.errors import QueryCanceled

from backoffice.counting import CAP, RowCount, count_up_to, estimate
from backoffice.dates import drill_down
from tenancy import current_scope

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

# Query string: the position that this page follows or precedes; LAST is the end of the list.
AFTER, BEFORE = "after", "before"
LAST = "end"
# Seconds allowed to find the rows of a page, and to count the list.
TIME_LIMIT = 4
COUNT_LIMIT = 0.3
SET_TIMEOUT = """
SELECT current_setting('statement_timeout'),
       set_config('statement_timeout', %(timeout)s, true)
"""


class TooSlow(Exception):
    """PostgreSQL did not find the rows within the time limit."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Cancel the block's statements that take longer. Raises TooSlow."""
    lasts = connection.in_atomic_block  # otherwise the setting ends with this transaction
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SET_TIMEOUT, {"timeout": f"{seconds}s"})
            [before, _] = cursor.fetchone()
            yield
            if lasts:
                cursor.execute(SET_TIMEOUT, {"timeout": before})
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow from error
        raise


class SortKey(NamedTuple):
    """One column of an ordering."""

    path: str
    descending: bool

    @classmethod
    def parse(cls, term: str) -> "SortKey":
        return cls(term.lstrip("-"), term.startswith("-"))

    def __str__(self) -> str:
        return f"-{self.path}" if self.descending else self.path

    def reversed(self) -> "SortKey":
        return SortKey(self.path, not self.descending)


class KeysetPosition:
    """Where a row stands in an ordered list: its values in the ordering's columns."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values

    @classmethod
    def of(cls, row: models.Model, keys: Sequence[SortKey]) -> "KeysetPosition":
        values = []
        for key in keys:
            value: Any = row
            for step in key.path.split("__"):
                value = getattr(value, step)
            values.append(value)
        return cls(values)

    @classmethod
    def decode(
        cls, text: str, keys: Sequence[SortKey], model: type[models.Model]
    ) -> "KeysetPosition":
        """Raises ValueError for text that encode() did not produce for this ordering."""
        try:
            texts = json.loads(base64.urlsafe_b64decode(text.encode()))
            if not isinstance(texts, list) or len(texts) != len(keys):
                raise ValueError("a position in another ordering")
            if any("\0" in str(part) for part in texts):
                raise ValueError("a NUL, which no row has")
            fields = [get_fields_from_path(model, key.path)[-1] for key in keys]
            return cls(
                [field.to_python(value) for field, value in zip(fields, texts, strict=True)]
            )
        except (binascii.Error, UnicodeError, TypeError, ValidationError) as error:
            raise ValueError(str(error)) from error

    def encode(self) -> str:
        texts = [
            value.isoformat() if isinstance(value, datetime.date) else str(value)
            for value in self.values
        ]
        return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()

    def rows_after(self, keys: Sequence[SortKey]) -> Q:
        """The rows that come after this position.

        Its first term repeats what the others imply: an index range, and the partitions to skip.
        """
        after, equal = Q(), Q()
        for key, value in zip(keys, self.values, strict=True):
            after |= equal & Q(**{f"{key.path}__{'lt' if key.descending else 'gt'}": value})
            equal &= Q(**{key.path: value})
        operator = "lte" if keys[0].descending else "gte"
        return Q(**{f"{keys[0].path}__{operator}": self.values[0]}) & after


class CappedPaginator(_Paginator):
    """For Django's own code, such as autocompletion, that asks for a count."""

    max_count = 1_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows[: self.max_count].count()


class KeysetChangeList(ChangeList):
    """First, next, previous and last page, each equally fast.

    The model admin's ordering ends in a unique column. Only its first column may be reversed,
    since no index serves other orders.
    """

    unknown_values: Sequence[str] = ()
    after: str | None = None
    before: str | None = None
    is_too_slow = False
    row_count: RowCount | None = None
    previous_page: str | None = None
    next_page: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))

    @property
    def counted(self) -> str:
        """Such as "1 call" or "more than 10,000 calls"."""
        if self.row_count is None:
            return "Too many to count"
        names = self.model_admin.row_names or (  # type: ignore[attr-defined]
            self.opts.verbose_name,
            self.opts.verbose_name_plural,
        )
        return f"{self.row_count} {names[self.row_count.number != 1]}"

    def get_filters(self, request: HttpRequest) -> Any:
        # The first method that sees the query string. Links to other filters or another order
        # start at the first page.
        self.after = self.params.pop(AFTER, self.after)
        self.before = self.params.pop(BEFORE, self.before)
        for name in (AFTER, BEFORE):
            self.filter_params.pop(name, None)
        found = super().get_filters(request)
        self.unknown_values = [
            f"{capfirst(str(spec.title))}: {_shown(spec)} is not one of the choices."
            " Choose one of the filters, or remove this one."
            for spec in found[0]
            if _is_unknown(spec, self)
        ]
        for refusal in self.unknown_values:
            messages.error(request, refusal)
        return found

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """No rows for an unknown value of a filter: all of them would be taken for the answer."""
        queryset: QuerySet[Any] = super().get_queryset(request, *args, **kwargs)
        return queryset.none() if self.unknown_values else queryset

    def get_ordering(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> list[str | Combinable]:
        keys = [SortKey.parse(str(term)) for term in self.model_admin.get_ordering(request)]
        if self._is_reversed(keys[0]):
            keys = [key.reversed() for key in keys]
        self.keys = keys
        return [str(key) for key in keys]

    def _is_reversed(self, first: SortKey) -> bool:
        wanted = self.params.get(ORDER_VAR, "")
        column = wanted.lstrip("-")
        if not column.isdigit() or int(column) >= len(self.list_display):
            return False
        path = self.get_ordering_field(self.list_display[int(column)])
        return path == first.path and wanted.startswith("-") != first.descending

    def get_results(self, request: HttpRequest) -> None:
        try:
            with time_limit(TIME_LIMIT):
                self._find_page()
            self.row_count = self._count()
        except TooSlow:
            self.is_too_slow = True
        self.result_list: list[Any] = getattr(self, "result_list", [])
        # For Django's "select all" and templates: never an estimate.
        is_exact = self.row_count is not None and self.row_count.is_exact
        self.result_count = (
            self.row_count.number if is_exact and self.row_count else len(self.result_list)
        )
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = bool(self.result_list)
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)

    def _find_page(self) -> None:
        backward = self.before is not None
        keys = [key.reversed() for key in self.keys] if backward else self.keys
        rows = self.queryset.order_by(*map(str, keys)).defer(*self.model_admin.list_defer)  # type: ignore[attr-defined]
        position = self.before if backward else self.after
        if position and position != LAST:
            try:
                rows = rows.filter(
                    KeysetPosition.decode(position, self.keys, self.model).rows_after(keys)
                )
            except ValueError as error:
                raise IncorrectLookupParameters(error) from error
        found = list(rows[: self.list_per_page + 1])
        is_more = len(found) > self.list_per_page
        found = found[: self.list_per_page]
        if backward:
            found.reverse()
        self.result_list = found
        has_previous = is_more if backward else self.after is not None
        has_next = self.before != LAST if backward else is_more
        if found and has_previous:
            self.previous_page = self._page(
                {BEFORE: KeysetPosition.of(found[0], self.keys).encode()}
            )
        if found and has_next:
            self.next_page = self._page({AFTER: KeysetPosition.of(found[-1], self.keys).encode()})
        self.is_whole = not (position or is_more)

    def _count(self) -> RowCount | None:
        if self.is_whole:
            return RowCount(len(self.result_list))
        # Counted first: after many deletions the planner's estimate is far too high.
        counted = None
        try:
            with time_limit(COUNT_LIMIT):
                counted = count_up_to(self.queryset, CAP)
        except TooSlow:
            pass
        if counted and counted.is_exact:
            return counted
        # The planner's estimate comes from the rows of all lines: nothing for those in one.
        if current_scope().phone_id is not None:
            return counted
        if not all(getattr(spec, "can_be_estimated", True) for spec in self.filter_specs):
            return counted
        estimated = estimate(self.queryset)
        return RowCount(estimated, "about") if estimated > CAP else counted

    def _page(self, parameters: dict[str, str]) -> str:
        return self.get_query_string(parameters)

    @property
    def first_page(self) -> str:
        return self._page({})

    @property
    def last_page(self) -> str:
        return self._page({BEFORE: LAST})

    @property
    def is_filtered(self) -> bool:
        return bool(self.query or self.has_active_filters or self._day_is_chosen)

    @property
    def active_filters(self) -> list[dict[str, str]]:
        """The filters in use beside search and drill-down, each with a link that removes it."""
        return [
            {
                "title": capfirst(str(spec.title)),
                "description": _chosen(spec, self),
                "remove_link": self.get_query_string(remove=_names(spec)),
            }
            for spec in self.filter_specs
            if spec.used_parameters
        ]

    @property
    def _day_is_chosen(self) -> bool:
        return any(name.startswith(f"{self.date_hierarchy}__") for name in self.params)

    @cached_property
    def dates(self) -> dict[str, Any] | None:
        """The links of the date drill-down; None where there is nothing to choose."""
        if not self.date_hierarchy:
            return None
        return drill_down(
            self.root_queryset, self.date_hierarchy, self.params, self.get_query_string
        )


def _values(spec: Any) -> list[Any]:
    """What was given for a filter, in Django's own and in ours."""
    return [
        part
        for value in spec.used_parameters.values()
        for part in (value if isinstance(value, list) else [value])
        if part not in (None, "")
    ]


def _shown(spec: Any) -> str:
    return ascii(" ".join(map(str, _values(spec)))[:40])


def _is_unknown(spec: Any, changes: ChangeList) -> bool:
    """Whether a filter was given none of its choices. A filter with a form judges by itself."""
    if hasattr(spec, "form") or isinstance(spec, DateFieldListFilter) or not _values(spec):
        return False
    return not any(choice.get("selected") for choice in spec.choices(changes))


def _names(spec: Any) -> list[str]:
    return [name for name in spec.expected_parameters() if name]


def _chosen(spec: Any, changes: ChangeList) -> str:
    """The chosen value of a filter: as its form describes it, or the text of the chosen link."""
    if hasattr(spec, "describe"):
        return str(spec.describe())
    chosen = [str(choice["display"]) for choice in spec.choices(changes) if choice.get("selected")]
    return ", ".join(chosen) or f"unknown value {_shown(spec)}"
