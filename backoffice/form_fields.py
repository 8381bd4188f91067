"""Form fields for columns that Django's own fields would spoil or explain badly."""

import json
from typing import Any, NoReturn

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from unfold.widgets import UnfoldAdminTextareaWidget


class JSONObjectField(forms.JSONField):
    """A JSON object, shown one key a line; says where bad JSON is bad. Empty means {}."""

    # backoffice.js checks it as one types.
    widget = UnfoldAdminTextareaWidget({"rows": 6, "class": "json", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):  # as it was typed
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def to_python(self, value: Any) -> Any:
        if value is None or (isinstance(value, str) and not value.strip()):
            return {}
        if isinstance(value, str):
            try:
                value = json.loads(value, parse_constant=_no_number)
            except json.JSONDecodeError as error:
                raise forms.ValidationError(
                    f"This is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
                ) from error
            except (ValueError, RecursionError) as error:
                raise forms.ValidationError(f"This is not JSON: {error}.") from error
        if not isinstance(value, dict):
            raise forms.ValidationError('Write a JSON object, such as {"language": "en"}.')
        return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


class LinesField(SimpleArrayField):
    """A text[] column, one element a line, so that an element may hold a comma."""

    widget = UnfoldAdminTextareaWidget({"rows": 3})

    def __init__(self, base_field: forms.Field, **kwargs: Any) -> None:
        kwargs["help_text"] = "One on each line."
        super().__init__(base_field, delimiter="\n", **kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = [line.strip() for line in value.splitlines() if line.strip()]
        return super().to_python(value)
