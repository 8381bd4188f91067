"""A list as a CSV file: streamed in batches, and harmless when a spreadsheet opens it."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from backoffice.bulk import confirmation, exact_count_or_refuse
from backoffice.deletion import named
from backoffice.paging import KeysetPosition, SortKey
from backoffice.records import record
from tenancy.request_scope import stream

if TYPE_CHECKING:
    from backoffice.modeladmin import BackofficeAdmin

# Rows of one file, which takes some seconds.
MAX_EXPORT_ROWS = 100_000
# Rows of one query, which are all that is in memory.
BATCH = 1_000
# What a spreadsheet reads as the start of a formula, full-width forms included. The apostrophe is
# here so that cell() doubles it, and text_of_cell() can restore the text.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
# A plus and digits alone are a number in a spreadsheet too.
TELEPHONE_NUMBER = re.compile(r"\+[0-9]{1,15}")
# Excel takes a file without it for one in the code page of the machine.
BYTE_ORDER_MARK = "\ufeff"

Columns = Mapping[str, Callable[[Any], Any]]


def cell(value: Any) -> str:
    """Text that no spreadsheet reads as a formula: '=1+1 instead of =1+1.

    text_of_cell() takes the apostrophe away again.
    """
    text = "" if value is None else str(value)
    if text.startswith(FORMULA) and not TELEPHONE_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def text_of_cell(text: str) -> str:
    """What cell() was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


class _Echo:
    """A file for csv.writer that returns each line."""

    def write(self, line: str) -> str:
        return line


def csv_lines(
    queryset: QuerySet[Any], *, columns: Columns, ordering: tuple[str, ...]
) -> Iterator[str]:
    """The head and the rows, a batch of lines at a time, each batch found by keyset."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow(columns)
    keys = [SortKey.parse(term) for term in ordering]
    ordered = queryset.order_by(*ordering)
    rows = list(ordered[:BATCH])
    written = 0
    while rows and written < MAX_EXPORT_ROWS:
        yield "".join(
            writer.writerow([cell(read(row)) for read in columns.values()]) for row in rows
        )
        written += len(rows)
        rows = list(ordered.filter(KeysetPosition.of(rows[-1], keys).rows_after(keys))[:BATCH])


def export_action(
    *,
    name: str,
    description: str,
    columns: Columns,
    optional: Columns,
    prepare: Callable[[QuerySet[Any]], QuerySet[Any]],
) -> Any:
    """An action for ModelAdmin.actions; the model admin answers has_export_permission().

    optional are large columns of the table, each written if its box is ticked and not read
    otherwise. prepare adds to a queryset what the columns read beside the rows of the list.
    """
    boxes = {
        column: forms.BooleanField(label=f"With {column}", required=False) for column in optional
    }
    form = type("ExportForm", (forms.Form,), boxes)

    @admin.action(description=description, permissions=["export"])
    def action(
        model_admin: "BackofficeAdmin", request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        rows = exact_count_or_refuse(request, queryset, max_rows=MAX_EXPORT_ROWS)
        if rows is None:
            return None
        if "post" not in request.POST:
            note = f"A CSV file with the columns {', '.join(columns)}. Exports are recorded."
            return confirmation(
                model_admin, request, queryset, rows=rows, action=name, form=form(), note=note
            )
        chosen = {column: read for column, read in optional.items() if column in request.POST}
        model = model_admin.model
        what = "".join(f", with {column}" for column in chosen)
        # Before the first byte, so that the export is recorded however the download ends.
        record(request, model, f"{named(rows, model)} exported{what}")
        lines = csv_lines(
            prepare(queryset).defer(*optional.keys() - chosen.keys()),
            columns={**columns, **chosen},
            ordering=tuple(map(str, model_admin.ordering or ())),
        )
        file_name = f"{model._meta.verbose_name_plural}-{timezone.now():%Y-%m-%d-%H%M}.csv"
        return StreamingHttpResponse(
            stream(lines),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{file_name.replace(" ", "-")}"',
                "Cache-Control": "no-store",
            },
        )

    action.__name__ = name
    return action
