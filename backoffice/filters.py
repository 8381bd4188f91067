"""Filters with a form, which never count or list the values of a table."""

import datetime
from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import DateTimeField, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst

from backoffice.paging import TooSlow


class FormFilter(admin.ListFilter):
    """A filter that is a small form beside the list; an invalid one shows no rows, with errors."""

    template = "backoffice/form_filter.html"
    # Names in the query string.
    parameters: ClassVar[tuple[str, ...]]
    # Whether the planner can estimate how many rows pass it.
    can_be_estimated = True

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: "admin.ModelAdmin[Any]",
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.model = model
        self.model_admin = model_admin
        for name in self.parameters:
            if name in params:
                # No row has a NUL, and PostgreSQL cannot be asked for one.
                self.used_parameters[name] = params.pop(name)[-1].replace("\0", "\ufffd")
        self.form = self.make_form(self.used_parameters or None)

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        raise NotImplementedError

    @classmethod
    def media(cls, model_admin: "admin.ModelAdmin[Any]") -> forms.Media:
        """What the widgets of the form load."""
        return forms.Media()

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        raise NotImplementedError

    def has_output(self) -> bool:
        return True

    def describe(self) -> str:
        """The chosen values, shown above the list."""
        fields = self.form.fields
        return ", ".join(
            f"{fields[name].label} {value}" if len(fields) > 1 else str(value)
            for name, value in self.used_parameters.items()
            if value
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.form.is_bound:
            return queryset
        if not self.form.is_valid():
            for errors in self.form.errors.values():
                messages.error(request, f"{capfirst(self.title)}: {' '.join(map(str, errors))}")
            return queryset.none()
        try:
            return self.narrow(queryset, self.form.cleaned_data)
        except TooSlow:
            messages.error(request, f"{capfirst(self.title)}: the search timed out. Narrow it.")
            return queryset.none()

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        yield {
            "form": self.form,
            "others": [
                (name, value)
                for name, values in changelist.filter_params.items()
                if name not in self.parameters
                for value in (values if isinstance(values, list) else [values])
            ],
            "clear": changelist.get_query_string(dict.fromkeys(self.parameters))
            if self.used_parameters
            else None,
        }


class DaysForm(forms.Form):
    first = forms.DateField(
        label="From", required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    last = forms.DateField(
        label="To", required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        first, last = chosen.get("first"), chosen.get("last")
        if first and last and first > last:
            raise forms.ValidationError("the first day is after the last.")
        return chosen


class DaysFilter(FormFilter):
    """Rows of the days from one to another, both included.

    Where the column has a time, days are those of the current time zone.
    """

    title = "days"
    parameters = ("first", "last")
    field = "created_at"

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        return DaysForm(data)

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        first, last = chosen["first"], chosen["last"]
        if isinstance(self.model._meta.get_field(self.field), DateTimeField):
            first, last = _midnight(first), _midnight(last, after=True)
            before = "lt"
        else:
            before = "lte"
        if first:
            queryset = queryset.filter(**{f"{self.field}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.field}__{before}": last})
        return queryset


# The days that have a midnight before and after them on every clock.
FIRST_DAY, LAST_DAY = datetime.date(1, 1, 2), datetime.date(9999, 12, 29)


def _midnight(day: datetime.date | None, *, after: bool = False) -> datetime.datetime | None:
    """When the day begins or, with after, ends, in the current time zone."""
    if day is None:
        return None
    day = min(max(day, FIRST_DAY), LAST_DAY) + datetime.timedelta(days=after)
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))
