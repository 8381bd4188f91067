"""The base classes of all model admins."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold import admin as unfold_admin
from unfold.widgets import (
    CHECKBOX_CLASSES,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from backoffice.deletion import (
    cascade_counts,
    delete_in_database,
    delete_selected,
    legal_holds,
)
from backoffice.filters import FormFilter
from backoffice.form_fields import JSONObjectField, KeyField, LinesField
from backoffice.paging import CappedPaginator, KeysetChangeList
from backoffice.refusals import explain
from database.errors import is_value_error

# The lookups that Django's own filters of a field add to the query string.
FIELD_FILTER_LOOKUPS = ("exact", "isnull", "gte", "lt")
TICK_CLASSES = " ".join(CHECKBOX_CLASSES)

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _StackedInline = admin.StackedInline[Any, Any]
else:
    _ModelAdmin = unfold_admin.ModelAdmin
    _TabularInline = unfold_admin.TabularInline
    _StackedInline = unfold_admin.StackedInline


class UnfoldModelAdmin(_ModelAdmin):
    """Django's ModelAdmin with Unfold's look, for models of other packages."""


class FormFields:
    """Form fields of our columns: text in one line, other than the columns in `multiline`."""

    multiline: ClassVar[tuple[str, ...]] = ()

    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest | None, **kwargs: Any
    ) -> forms.Field | None:
        if isinstance(db_field, models.TextField) and not db_field.choices:
            if db_field.null:
                kwargs["empty_value"] = None
            kwargs["widget"] = (
                UnfoldAdminTextareaWidget({"rows": 5})
                if db_field.name in self.multiline
                else UnfoldAdminTextInputWidget
            )
        elif isinstance(db_field, models.ForeignKey):
            kwargs.setdefault("form_class", KeyField)
        elif isinstance(db_field, models.JSONField):
            kwargs |= {"form_class": JSONObjectField, "widget": JSONObjectField.widget}
        elif isinstance(db_field, ArrayField):
            kwargs |= {"form_class": LinesField, "widget": LinesField.widget}
        field: forms.Field | None = super().formfield_for_dbfield(  # type: ignore[misc]
            db_field, request, **kwargs
        )
        return field


class LineTabularInline(FormFields, _TabularInline):
    extra = 0

    def formfield_for_dbfield(self, *args: Any, **kwargs: Any) -> forms.Field | None:
        """Adds labels for screen readers, since fields in a table have none."""
        field = super().formfield_for_dbfield(*args, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", str(field.label))
        return field


class LineStackedInline(FormFields, _StackedInline):
    extra = 0


class BackofficeAdmin(FormFields, UnfoldModelAdmin):
    """A model admin that stays fast on millions of rows.

    `ordering` ends in a unique column and starts with columns of an index; `list_defer` names the
    big columns that the list does not show. Errors of the database become form errors.
    """

    change_list_template = "backoffice/change_list.html"
    delete_confirmation_template = "backoffice/delete_row.html"
    object_history_template = "backoffice/object_history.html"
    actions: Any = (delete_selected,)
    list_defer: ClassVar[tuple[str, ...]] = ()
    # What the list counts, one and many, where its rows are not what the model is called.
    row_names: ClassVar[tuple[str, str] | None] = None
    list_per_page = 50
    paginator = CappedPaginator
    # Django needs search fields to show the search box and autocomplete; search() does the work.
    search_fields: ClassVar[Any] = ("search",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by: ClassVar[Any] = ()

    @property
    def media(self) -> forms.Media:
        # With those of the filters' widgets, which no form of the list includes.
        media: forms.Media = super().media
        for item in self.list_filter:
            if isinstance(item, type) and issubclass(item, FormFilter):
                media += item.media(self)
        return media

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    @admin.display(description="Select")
    def action_checkbox(self, obj: models.Model) -> SafeString:
        """Unfold's checkbox without its template, which takes longer than the rest of the row."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select {}" '
            'aria-label="Select {}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            TICK_CLASSES,
            obj,
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Without its own actions a list would get Django's site-wide one.
        return super().get_actions(request) if self.actions else {}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the list's own filters; Django would allow lookups on any column."""
        if self.date_hierarchy and lookup.startswith(f"{self.date_hierarchy}__"):
            part = lookup.removeprefix(f"{self.date_hierarchy}__")
            year = request.GET.get(f"{self.date_hierarchy}__year", "") if request else ""
            return (
                part in ("year", "month", "day")
                and value.isascii()
                and value.isdigit()
                and year.isdigit()
                and 0 < int(year) < 9999
            )
        return lookup in self._filter_parameters()

    def _filter_parameters(self) -> set[str]:
        names: set[str] = set()
        for item in self.list_filter:
            if isinstance(item, str):
                names.update(f"{item}__{lookup}" for lookup in FIELD_FILTER_LOOKUPS)
            elif name := getattr(item, "parameter_name", None):
                names.add(name)
            else:
                names.update(item.parameters)  # type: ignore[union-attr]
        return names

    def search(self, term: str) -> Q:
        """The condition for the rows that match a search term."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if "\x00" in term:
            return queryset.none(), False
        return (queryset.filter(self.search(term)) if term else queryset), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        if "\x00" in object_id:  # PostgreSQL's text cannot contain it
            return None
        return super().get_object(request, object_id, from_field)

    def viewable_row(self, request: HttpRequest, object_id: str, *, rights: Any = ()) -> Any:
        """The row of a page beside its form, as its address names it.

        Raises Http404 where there is none, and PermissionDenied for those who may not view it or
        lack one of the rights.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not (self.has_view_permission(request, row) and request.user.has_perms(rights)):
            raise PermissionDenied
        return row

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, Any], set[str], list[str]]:
        """Counts up to a cap; who may delete a row may delete what belongs to it."""
        counts, held = cascade_counts(self.model, objs), legal_holds(self.model, objs)
        return [str(obj) for obj in objs], counts, set(), held

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show an error of the database, such as a hold placed just now, on the row's page."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except IntegrityError as error:
            refusal = explain(error, self.model)
            messages.error(request, f"Nothing was deleted. {refusal}")
            opts = self.model._meta
            return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", object_id)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        delete_in_database(self.model._base_manager.filter(pk=obj.pk))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show an error of the database as a form error; nothing is saved.

        Django cannot add errors to a form once it saves. So the transaction is rolled back and
        the form validated again, which now fails with the database's error.
        """
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (IntegrityError, DataError) as error:
            if isinstance(error, DataError) and not is_value_error(error):
                raise
            request.refusal = explain(error, self.model)  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def around_form(self, row: Any, request: HttpRequest) -> dict[str, Any]:
        """The context of what the page of a row shows beside its form."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None:
            if context["errors"]:
                # A refused form has written what was typed to its row, which is not stored.
                row = self.get_object(request, str(row.pk)) or row
                context |= {"original": row, "subtitle": str(row)}
            context |= self.around_form(row, request)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> "type[forms.ModelForm[Any]]":
        form = super().get_form(request, obj, change, **kwargs)
        refusal: str | None = getattr(request, "refusal", None)
        if refusal is None:
            return form

        class RefusedForm(form):  # type: ignore[valid-type,misc]
            def clean(self) -> None:
                super().clean()
                raise ValidationError(str(refusal))

        return RefusedForm


class ReadOnly:
    """No user can add, change or delete rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
