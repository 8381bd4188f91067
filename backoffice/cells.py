"""The cells of a list, as Django's admin writes them: what is the same in each row is found once.

Django looks up field, method, classes and link anew for each cell, and Unfold the headers as well.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, display_for_value
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, Field, ForeignKey, TimeField
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

Read = Callable[[Any], Any]


def written(changes: Any, labels: Iterable[str]) -> Iterator[list[SafeString]]:
    """The cells of each row. A label is shown beside its cell on a narrow page."""
    columns = [
        (*_begun(changes, name, label), _reader(changes, name), name in _linked(changes))
        for name, label in zip(changes.list_display, labels, strict=True)
    ]
    for row in changes.result_list:
        link = _link(changes, row)
        # What is joined here is escaped, or was written so by a method of ours.
        yield [
            mark_safe(  # noqa: S308
                f"{begin}{link}{conditional_escape(read(row))}</a>{end}"
                if is_linked
                else f"{begin}{conditional_escape(read(row))}{end}"
            )
            for begin, end, read, is_linked in columns
        ]


def _linked(changes: Any) -> Iterable[str]:
    return changes.list_display_links or ()


def _field(changes: Any, name: str) -> "Field[Any, Any] | None":
    try:
        field = changes.lookup_opts.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None


def _begun(changes: Any, name: str, label: str) -> tuple[str, str]:
    """The tags around a cell of this column."""
    classes = "action-checkbox" if name == "action_checkbox" else f"field-{name.strip('_')}"
    if isinstance(_field(changes, name), DateField | TimeField | ForeignKey):
        classes += " nowrap"
    tag = "th" if name in _linked(changes) else "td"
    return f'<{tag} class="{classes}" data-label="{conditional_escape(label)}">', f"</{tag}>"


def _reader(changes: Any, name: str) -> Read:
    empty = changes.model_admin.get_empty_value_display()
    field = _field(changes, name)
    if isinstance(field, ForeignKey):
        return lambda row: empty if getattr(row, name) is None else getattr(row, name)
    if field is not None:
        return lambda row: display_for_field(getattr(row, name), field, empty)
    method = getattr(changes.model_admin, name, None)
    if method is not None and name != "__str__":
        is_boolean = getattr(method, "boolean", False)
        return lambda row: display_for_value(method(row), empty, is_boolean)

    def read(row: Any) -> Any:
        value = getattr(row, name)
        return display_for_value(value() if callable(value) else value, empty)

    return read


def _link(changes: Any, row: Any) -> str:
    url = add_preserved_filters(
        {"preserved_filters": changes.preserved_filters, "opts": changes.opts},
        changes.url_for_result(row),
    )
    opener = ""
    if changes.is_popup:
        key = row.serializable_value(str(changes.to_field or changes.pk_attname))
        opener = f' data-popup-opener="{conditional_escape(key)}"'
    return f'<a href="{conditional_escape(url)}"{opener}>'
