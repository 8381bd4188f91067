"""Makes the OpenAPI document as strict as the API."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from api.parsing import NO_CONTROLS, NOT_BLANK
from api.rendering import ProblemRenderer
from api.serializer_fields import NumberField, StrictSerializer


class StrictSchema(AutoSchema):
    """Documents what StrictSerializer and StrictJSONParser reject, and nothing else.

    A serializer may have `examples`, one for a field, and be `sparse`: any field may be missing.
    """

    def map_renderers(self, attribute: str) -> list[Any]:
        found: list[Any] = super().map_renderers(attribute)
        return [name for name in found if name != ProblemRenderer.media_type]

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        shape = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if not type(serializer).__doc__:
            shape.pop("description", None)  # of the class that it inherits from
        for name, example in getattr(serializer, "examples", {}).items():
            shape["properties"][name]["examples"] = [example]
        if getattr(serializer, "sparse", False):
            shape.pop("required", None)
        if direction == "request":
            for field in serializer.fields.values():
                if isinstance(field, NumberField) and not field.read_only:
                    step = 10.0 ** -(field.decimal_places or 0)
                    shape["properties"][field.field_name]["multipleOf"] = step
                _require_text(field, shape["properties"].get(field.field_name))
            if isinstance(serializer, StrictSerializer):
                shape["additionalProperties"] = False
            exclude_control_characters(shape)
        return shape


def _require_text(field: Any, shape: Any) -> None:
    """White space around a text is taken off, and what is left may not be empty."""
    if isinstance(field, serializers.ListField):
        _require_text(field.child, shape and shape.get("items"))
    elif (
        type(field) is serializers.CharField
        and shape
        and field.trim_whitespace
        and not (field.allow_blank or field.read_only)
    ):
        shape.setdefault("pattern", NOT_BLANK)


def exclude_control_characters(shape: Any) -> None:
    """Add to each string without a pattern that it has no control characters."""
    if isinstance(shape, list):
        for inner in shape:
            exclude_control_characters(inner)
    elif isinstance(shape, dict):
        kind = shape.get("type", "")
        if "string" in kind and not shape.keys() & {"enum", "const", "format", "pattern"}:
            shape["pattern"] = NO_CONTROLS
        for inner in shape.values():
            exclude_control_characters(inner)
