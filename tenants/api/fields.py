"""Fields that write JSON as PostgreSQL does."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers


class MomentField(serializers.DateTimeField):
    """2024-05-06T12:30:00.123456Z: always UTC, always microseconds."""

    def to_representation(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            return super().to_representation(value)
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")


class NumberField(serializers.DecimalField):
    """A decimal column as a JSON number: 1, 0.8, never 0.80."""

    def to_representation(self, value: Any) -> Any:
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)


class StrictSerializer(serializers.Serializer[Any]):
    """Names that it does not know are errors.

    A read-only field may be sent back as it was read, so that a GET can be edited and PUT.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            errors = self._unknown(data) | self._changed_read_only(data)
            if errors:
                raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def _unknown(self, data: dict[str, Any]) -> dict[str, str]:
        known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
        unknown = sorted(data.keys() - self.fields.keys())
        return dict.fromkeys(unknown, f"There is no such field; these may be sent: {known}.")

    def _changed_read_only(self, data: dict[str, Any]) -> dict[str, str]:
        sent = [name for name, field in self.fields.items() if field.read_only and name in data]
        if not sent:
            return {}
        current = {} if self.instance is None else self.to_representation(self.instance)
        missing = object()
        changed = [name for name in sent if data[name] != current.get(name, missing)]
        return dict.fromkeys(changed, "This cannot be changed.")
