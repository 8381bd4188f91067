"""The model admins and the filter of rows that belong to a line."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q, QuerySet
from django.http import HttpRequest

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


class LineOwnedAdmin(BackofficeAdmin):
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
