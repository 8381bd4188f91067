"""Bulk actions: a confirmation page with a count and a sample, then small batches."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from backoffice.counting import CAP, RowCount, count_up_to
from backoffice.deletion import SAMPLE, named
from backoffice.paging import TIME_LIMIT, TooSlow, time_limit
from backoffice.records import record
from backoffice.refusals import explain

if TYPE_CHECKING:
    from backoffice.modeladmin import BackofficeAdmin

# Rows of one transaction.
BATCH = 500
# Takes the keys of a batch, the request and the form's data; returns how many rows changed.
Change = Callable[[Sequence[Any], HttpRequest, dict[str, Any]], int]
Action = Callable[["BackofficeAdmin", HttpRequest, QuerySet[Any]], HttpResponse | None]


def bulk_action(
    *,
    name: str,
    description: str,
    permission: str,
    change: Change,
    done: str,
    form: type[forms.Form] = forms.Form,
) -> Action:
    """An action for ModelAdmin.actions, on selected rows or on a whole list of at most CAP rows.

    The model admin answers has_<permission>_permission(); done is the result, with {rows} for
    such as "12 calls".
    """

    @admin.action(description=description, permissions=[permission])
    def action(
        model_admin: "BackofficeAdmin", request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        rows = exact_count_or_refuse(request, queryset, max_rows=CAP)
        if rows is None:
            return None
        is_sent = "post" in request.POST
        filled = form(request.POST if is_sent else None)
        if not (is_sent and filled.is_valid()):
            return confirmation(
                model_admin, request, queryset, rows=rows, action=name, form=filled
            )
        changed = 0
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[:CAP])
        refusal = ""
        for first in range(0, len(keys), BATCH):
            try:
                with transaction.atomic():
                    changed += change(keys[first : first + BATCH], request, filled.cleaned_data)
            except IntegrityError as error:
                refusal = explain(error, model_admin.model)
                break
        what = done.format(rows=named(RowCount(changed), model_admin.model))
        record(request, model_admin.model, what)
        unchanged = len(keys) - changed
        note = f" Unchanged: {unchanged:,}." if unchanged else ""
        if refusal:
            messages.error(request, f"Stopped: {refusal} {what}.{note}")
        elif not changed:
            messages.warning(request, f"{what}.{note}")
        else:
            messages.success(request, f"{what}.{note}")
        return None

    action.__name__ = name
    return action


def exact_count_or_refuse(
    request: HttpRequest, queryset: QuerySet[Any], *, max_rows: int
) -> RowCount | None:
    """The exact count; None, with an error message, when there are too many rows."""
    try:
        with time_limit(TIME_LIMIT):
            rows = count_up_to(queryset, max_rows)
    except TooSlow:
        messages.error(
            request, "Action not run: counting these rows took too long. Narrow the list."
        )
        return None
    if not rows.is_exact:
        messages.error(
            request, f"Action not run: the list has {rows} rows. Narrow it and run it in parts."
        )
        return None
    return rows


def confirmation(
    model_admin: "BackofficeAdmin",
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    rows: RowCount,
    action: str,
    form: forms.Form,
    note: str = "",
) -> TemplateResponse:
    """The confirmation page: how many rows, the first of them, and a note."""
    across = request.POST.get("select_across") == "1"
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    description: str = model_admin.get_actions(request)[action][2]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{description}: {named(rows, model_admin.model)}",
        "description": description,
        "subtitle": None,
        "opts": model_admin.model._meta,
        "rows": rows,
        "sample": queryset.defer(*model_admin.list_defer)[:SAMPLE],
        "chosen": chosen[:1] if across else chosen,
        "action": action,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "across": across,
        "form": form,
        "note": note,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "backoffice/bulk.html", context)
