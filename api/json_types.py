"""The JSON types of a serializer's fields, which the OpenAPI document names.

REST framework converts: "no" to false, 0 to "0" and "7" to 7. What a client sends by mistake would
then be stored as something else than it meant.
"""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

TEXT = "Expected a JSON string."
TEXT_FIELDS = (
    serializers.CharField,
    serializers.UUIDField,
    serializers.DateTimeField,
    serializers.DateField,
    serializers.TimeField,
)


def type_errors(field: Any, value: Any) -> Any:
    """What is wrong with a value's JSON type: a list, by index for elements of a list; else empty.

    null is for the field itself to judge.
    """
    if value is None or isinstance(field, serializers.BaseSerializer):
        return {}
    if isinstance(field, serializers.ListField):
        elements = enumerate(value) if isinstance(value, list) else ()
        found = {index: type_errors(field.child, element) for index, element in elements}
        return {index: errors for index, errors in found.items() if errors}
    if isinstance(field, serializers.BooleanField):
        return [] if isinstance(value, bool) else ["Expected true or false."]
    if isinstance(field, serializers.IntegerField):
        return [] if _is_whole(value) else ["Expected a whole JSON number."]
    if isinstance(field, serializers.FloatField | serializers.DecimalField):
        return [] if _is_number(value) else ["Expected a JSON number."]
    if isinstance(field, serializers.ChoiceField):
        if all(isinstance(choice, str) for choice in field.choices):
            return [] if isinstance(value, str) else [TEXT]
        return [] if _is_number(value) else ["Expected a JSON number."]
    if isinstance(field, TEXT_FIELDS):
        return [] if isinstance(value, str) else [TEXT]
    return {}


def _is_whole(value: Any) -> bool:
    """Also 7.0, which is an integer in JSON."""
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
