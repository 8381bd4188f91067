"""Form fields for JSON and array columns, and for keys."""

import json
from typing import Any, NoReturn

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from unfold.widgets import UnfoldAdminTextareaWidget

from database import exact_json
from database.storable import is_storable


class JSONObjectField(forms.JSONField):
    """A JSON object, shown one key per line; errors give the position. Empty means {}."""

    # backoffice.js checks it as one types.
    widget = UnfoldAdminTextareaWidget({"rows": 6, "class": "json", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):  # as it was typed
            return value
        return exact_json.dumps(value, indent=2, ensure_ascii=False)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def to_python(self, value: Any) -> Any:
        if value is None or (isinstance(value, str) and not value.strip()):
            return {}
        if isinstance(value, str):
            try:
                value = json.loads(
                    value,
                    parse_constant=_reject_constant,
                    parse_float=exact_json.fraction,
                    parse_int=exact_json.integer,
                )
            except json.JSONDecodeError as error:
                raise forms.ValidationError(
                    f"Invalid JSON at line {error.lineno}, column {error.colno}: {error.msg}."
                ) from error
            except (ValueError, RecursionError) as error:
                raise forms.ValidationError(f"Invalid JSON: {error}.") from error
        if not isinstance(value, dict):
            raise forms.ValidationError('Enter a JSON object, such as {"language": "en"}.')
        if not is_storable(value):
            raise forms.ValidationError(
                "PostgreSQL cannot store \\u0000, nor one half of a surrogate pair. Remove it."
            )
        return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


class KeyField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The key of another row; a value that PostgreSQL cannot store is that of none."""

    def to_python(self, value: Any) -> Any:
        if not is_storable(value):
            raise forms.ValidationError(
                self.error_messages["invalid_choice"],
                code="invalid_choice",
                params={"value": ascii(value)},
            )
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What the widget looks up to show the form again."""
        return data if is_storable(data) else None


class LinesField(SimpleArrayField):
    """A text[] column, one element per line, so that elements may contain commas."""

    widget = UnfoldAdminTextareaWidget({"rows": 3})

    def __init__(self, base_field: forms.Field, **kwargs: Any) -> None:
        kwargs["help_text"] = "One per line."
        super().__init__(base_field, delimiter="\n", **kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = [line.strip() for line in value.splitlines() if line.strip()]
        return super().to_python(value)
