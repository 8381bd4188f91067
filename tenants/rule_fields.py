"""The form field for each kind of condition and action that the schema of rules has."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from tenants.rules import definitions
from tenants.rules.phrases import DAYS

# Longer texts get a box of several lines.
ONE_LINE = 300
ENDS = ("from", "to")


class WordsField(forms.CharField):
    """A list of texts, one per line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            widget=UnfoldAdminTextareaWidget({"rows": 2}), help_text="One per line.", **options
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return [line.strip() for line in text.splitlines() if line.strip()] or None


class YesNoField(forms.TypedChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=[("", "-"), ("True", "Yes"), ("False", "No")],
            coerce=lambda text: text == "True",
            empty_value=None,
            widget=UnfoldAdminSelectWidget,
            **options,
        )


class EndsWidget(forms.MultiWidget):
    """Two inputs for {from, to}, of the browser's own kind: date or time."""

    template_name = "tenants/ends_widget.html"

    def __init__(self, kind: str, label: str) -> None:
        super().__init__(
            {
                end: UnfoldAdminTextInputWidget({"type": kind, "aria-label": f"{label} {end}"})
                for end in ENDS
            }
        )

    def decompress(self, value: Any) -> list[Any]:
        return [value.get(end) for end in ENDS] if isinstance(value, dict) else [None, None]


class EndsField(forms.MultiValueField):
    """Two ends, as {from, to}."""

    kind: ClassVar[str]

    def __init__(self, **options: Any) -> None:
        super().__init__(
            [self.end_field(), self.end_field()],
            require_all_fields=False,
            widget=EndsWidget(self.kind, options["label"]),
            **options,
        )

    def end_field(self) -> forms.Field:
        raise NotImplementedError

    def text(self, end: Any) -> str:
        raise NotImplementedError

    def compress(self, values: list[Any]) -> dict[str, str] | None:
        ends = zip(ENDS, values, strict=False)
        return {name: self.text(end) for name, end in ends if end is not None} or None


class DatesField(EndsField):
    """Days, of which one may be missing."""

    kind = "date"

    def end_field(self) -> forms.Field:
        return forms.DateField(required=False)

    def text(self, end: Any) -> str:
        return str(end.isoformat())


class TimesField(EndsField):
    """Times of day, both or none."""

    kind = "time"

    def end_field(self) -> forms.Field:
        return forms.TimeField(required=False, input_formats=["%H:%M"])

    def text(self, end: Any) -> str:
        return f"{end:%H:%M}"

    def compress(self, values: list[Any]) -> dict[str, str] | None:
        times = super().compress(values)
        if times and len(times) < len(ENDS):
            raise ValidationError("Enter both times, or none.")
        return times


def field_of(name: str, schema: dict[str, Any]) -> forms.Field | None:
    """The form field for a property of the schema; None where it is nested too deeply."""
    if "$ref" in schema:
        schema = definitions()[schema["$ref"].rsplit("/", 1)[-1]]
    options: dict[str, Any] = {"required": False, "label": name.replace("_", " ").capitalize()}
    items = schema.get("items", {})
    if "enum" in schema:
        choices = [("", "-"), *((word, word.replace("_", " ")) for word in schema["enum"])]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, **options)
    match schema.get("type"), items.get("type"):
        case "boolean", _:
            return YesNoField(**options)
        case "string", _:
            is_long = schema.get("maxLength", ONE_LINE) > ONE_LINE
            widget = UnfoldAdminTextareaWidget({"rows": 3}) if is_long else None
            return forms.CharField(widget=widget or UnfoldAdminTextInputWidget, **options)
        case "integer", _:
            return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget, **options)
        case "array", "integer":  # the days of the week
            return forms.TypedMultipleChoiceField(
                choices=list(enumerate(DAYS)),
                coerce=int,
                empty_value=None,
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
                **options,
            )
        case "array", "string":
            return WordsField(**options)
        case "object", _ if set(schema["properties"]) == set(ENDS):
            is_date = schema["properties"]["from"]["$ref"] == "#/$defs/date"
            return DatesField(**options) if is_date else TimesField(**options)
    return None
