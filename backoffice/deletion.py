"""Deleting many rows in one statement, after a page that shows what is deleted with them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import DELETION
from django.db import IntegrityError, transaction
from django.db.models import CASCADE, DO_NOTHING, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from backoffice.counting import RowCount, count_up_to
from backoffice.held_rows import HeldRows
from backoffice.records import record
from backoffice.refusals import explain

if TYPE_CHECKING:
    from backoffice.modeladmin import BackofficeAdmin

# Rows that the confirmation names one by one.
SAMPLE = 10


def cascade_counts(model: type[Model], rows: QuerySet[Any] | Iterable[Any]) -> dict[str, RowCount]:
    """How many rows of each table the database deletes when these rows are deleted.

    One step down is enough: whatever belongs to a line refers to the line itself.
    """
    counts = {}
    for owned in _owned(model, rows):
        count = count_up_to(owned)
        if count.number:
            counts[str(owned.model._meta.verbose_name_plural)] = count
    return counts


def legal_holds(model: type[Model], rows: QuerySet[Any] | Iterable[Any]) -> list[str]:
    """Which of these rows, and of those deleted with them, may not be deleted; empty: none.

    Declared by `held_rows` of a model.
    """
    themselves = model._base_manager.filter(pk__in=_keys(rows))
    held = []
    for kept in (themselves, *_owned(model, rows)):
        held_rows: HeldRows | None = getattr(kept.model, "held_rows", None)
        if held_rows is not None:
            count = count_up_to(kept.filter(held_rows.condition))
            if count.number:
                held.append(f"{named(count, kept.model)} {held_rows.reason}")
    return held


def _keys(rows: QuerySet[Any] | Iterable[Any]) -> Any:
    return rows.order_by().values("pk") if isinstance(rows, QuerySet) else [r.pk for r in rows]


def _owned(model: type[Model], rows: QuerySet[Any] | Iterable[Any]) -> Iterator[QuerySet[Any]]:
    """The rows of each table that the database deletes with these."""
    for relation in model._meta.related_objects:
        owned: Any = relation.related_model
        stays = hasattr(owned, "outlives_line") or not owned._meta.managed
        if not stays and relation.on_delete in (CASCADE, DO_NOTHING):
            yield owned._base_manager.filter(**{f"{relation.field.name}__in": _keys(rows)})


def delete_in_database(queryset: QuerySet[Any]) -> int:
    """One DELETE, after which the database cascades; returns the rows of this table alone."""
    deleted: int = queryset.order_by().delete()[0]
    return deleted


def named(rows: RowCount, model: type[Model]) -> str:
    """Such as "1 call" or "more than 10,000 calls"."""
    opts = model._meta
    return f"{rows} {opts.verbose_name if str(rows) == '1' else opts.verbose_name_plural}"


@admin.action(permissions=["delete"], description="Delete selected %(verbose_name_plural)s")
def delete_selected(
    model_admin: "BackofficeAdmin", request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """Replaces Django's action, which loads each row and every row that refers to it."""
    opts = model_admin.model._meta
    across = request.POST.get("select_across") == "1"
    if held := legal_holds(model_admin.model, queryset):
        messages.error(request, f"Nothing was deleted: the selection includes {', '.join(held)}.")
        return None
    if request.POST.get("post"):
        try:
            with transaction.atomic():
                if not across:
                    model_admin.log_deletions(request, queryset)
                what = named(RowCount(delete_in_database(queryset)), model_admin.model)
        except IntegrityError as error:  # a rule of the database, such as a hold placed just now
            refusal = explain(error, model_admin.model)
            messages.error(request, f"Nothing was deleted. {refusal}")
            return None
        if across:
            record(request, model_admin.model, f"{what} deleted", flag=DELETION)
        messages.success(request, f"{what} deleted.")
        return None
    rows = count_up_to(queryset)
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Delete {named(rows, model_admin.model)}",
        "subtitle": None,
        "opts": opts,
        "rows": rows,
        "what": named(rows, model_admin.model),
        "sample": queryset[:SAMPLE],
        "cascades": cascade_counts(model_admin.model, queryset),
        "chosen": chosen[:1] if across else chosen,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "across": across,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "backoffice/delete_selected.html", context)
