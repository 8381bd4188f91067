"""The model admins and the filter of rows that belong to a line."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backoffice.filters import FormFilter
from backoffice.modeladmin import BackofficeAdmin, ReadOnly
from tenancy import current_scope
from tenants.line_search import of_lines_that_match
from tenants.models import PhoneNumber


class LineFilter(FormFilter):
    """Filters rows by line, with an autocomplete field."""

    title = "line"
    parameters = ("line",)

    def has_output(self) -> bool:
        # Inside one line there is nothing to choose; a link to another line's rows finds none.
        return current_scope().phone_id is None or bool(self.used_parameters)

    def make_form(self, data: dict[str, Any] | None) -> forms.Form:
        key = self.model._meta.get_field("phone")
        line = forms.ModelChoiceField(
            PhoneNumber.objects.all(),
            label="",
            widget=AutocompleteSelect(
                key,
                self.model_admin.admin_site,
                attrs={"data-submit": "", "aria-label": "Line", "data-width": "100%"},
            ),
            required=False,
            error_messages={"invalid_choice": "not found."},
        )
        form = forms.Form(data)
        form.fields["line"] = line
        return form

    @classmethod
    def media(cls, model_admin: "admin.ModelAdmin[Any]") -> forms.Media:
        key = model_admin.model._meta.get_field("phone")
        return AutocompleteSelect(key, model_admin.admin_site).media

    def describe(self) -> str:
        line = self.form.cleaned_data.get("line") if self.form.is_valid() else None
        return str(line) if line else super().describe()

    def narrow(self, queryset: QuerySet[Any], chosen: dict[str, Any]) -> QuerySet[Any]:
        return queryset.filter(phone=chosen["line"]) if chosen["line"] else queryset


def clock_of_list(request: HttpRequest) -> str:
    """The time zone of the picked line, else of the one that the list is filtered by, else UTC."""
    key = current_scope().phone_id or request.GET.get("line", "")
    lines = PhoneNumber.objects.filter(pk=key.replace("\x00", ""))
    return lines.values_list("timezone", flat=True).first() or "UTC"


class ClockedAdmin(BackofficeAdmin):
    """Lists whose times are of one clock, which the page names."""

    # Whether the list has times, which are then all of one clock.
    has_times = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Times and days of the list are those of the line where one is given, else UTC."""
        if not self.has_times:
            return super().changelist_view(request, extra_context)
        clock = clock_of_list(request)
        # Until the page is rendered, which is after this method.
        request.scopes.enter_context(timezone.override(clock))  # type: ignore[attr-defined]
        return super().changelist_view(request, {"clock": clock, **(extra_context or {})})


class LineOwnedAdmin(ClockedAdmin):
    """Rows that belong to a line: chosen when a row is added, fixed from then on."""

    autocomplete_fields: ClassVar[Any] = ("phone",)
    list_filter: ClassVar[Any] = (LineFilter,)
    list_select_related: ClassVar[Any] = ("phone",)
    search_help_text = "Search by line number, name or id."

    def search(self, term: str) -> Q:
        return of_lines_that_match(term)

    @admin.display(description="Line")
    def line(self, row: Any) -> str:
        return str(row.phone.business_name) if row.phone else "-"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "phone"] if obj is not None and "phone" not in fields else fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None or current_scope().phone_id is None:
            return fieldsets
        # Inside one line there is nothing to choose: the new row gets it by default.
        return [
            (name, {**options, "fields": [f for f in options["fields"] if f != "phone"]})
            for name, options in fieldsets
        ]


class ReadOnlyAdmin(ReadOnly, LineOwnedAdmin):
    """Rows written by roll-ups and the archiver; read-only in the admin."""

    actions: Any = ()
