"""Fields that write JSON as PostgreSQL does."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.json_types import type_errors
from database.columns import validate_timezone

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"


class MomentField(serializers.DateTimeField):
    """2024-05-06T12:30:00.123456Z: always UTC, always microseconds."""

    def to_representation(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            return super().to_representation(value)
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")


# A plus in a query string stands for a blank.
BLANK_FOR_PLUS = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)")


class InstantField(serializers.DateTimeField):
    """A moment with its offset: 2026-03-10T08:00:00Z. Without one it would be a guess."""

    default_error_messages = {
        "invalid": "Expected a time with its offset, such as 2026-03-10T08:00:00Z or"
        " 2026-03-10T09:00:00+01:00.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = parse_datetime(BLANK_FOR_PLUS.sub("+", value)) if "T" in value else None
        except (TypeError, ValueError):
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail("invalid")
        return moment


@extend_schema_field(
    {"anyOf": [{"type": "string", "format": form} for form in ("date-time", "date")]}
)
class InstantOrDayField(InstantField):
    """A moment with its offset, or a day, which the caller reads on the line's clock."""

    default_error_messages = {
        "invalid": "Expected a time with its offset, such as 2026-03-10T08:00:00Z, or a day of"
        " the line, such as 2026-03-10.",
    }

    def to_internal_value(self, value: Any) -> Any:
        if isinstance(value, str) and DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                self.fail("invalid")
        return super().to_internal_value(value)


class DayField(serializers.DateField):
    """2026-12-24: a date of a calendar."""

    default_error_messages = {"invalid": "Expected a date such as 2026-12-24."}

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            self.fail("invalid")
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail("invalid")


class NumberField(serializers.DecimalField):
    """A decimal column as a JSON number: 1, 0.8, never 0.80."""

    def to_representation(self, value: Any) -> Any:
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)


@extend_schema_field({"type": "string", "pattern": CLOCK})
class ClockField(serializers.TimeField):
    """09:00 or 09:00:00 on a wall clock, which knows no offset."""

    default_error_messages = {"invalid": "Expected a time such as 09:00 or 09:00:00."}

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(CLOCK, value, re.ASCII):
            self.fail("invalid")
        return time.fromisoformat(value)


@extend_schema_field({"type": "string", "format": "iana-time-zone", "maxLength": 100})
class TimezoneField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        options = {"help_text": "An IANA time zone, such as Europe/Berlin or UTC.", **options}
        super().__init__(max_length=100, validators=[validate_timezone], **options)


class ObjectField(serializers.DictField):
    """A JSON object; StrictJSONParser limits its depth and rejects control characters."""

    default_error_messages = {"not_a_dict": "Expected a JSON object."}


class StrictSerializer(serializers.Serializer[Any]):
    """Unknown names are errors, and so are values of another JSON type than the field's.

    A read-only field may be sent back as it was read, so that a GET can be edited and PUT.
    """

    # Query parameters are texts, which the fields convert.
    is_json = True

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            errors: dict[str, Any] = self._unknown(data) | self._changed_read_only(data)
            if self.is_json:
                errors |= self._wrong_types(data)
            if errors:
                raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def _wrong_types(self, data: dict[str, Any]) -> dict[str, Any]:
        found = {
            name: type_errors(field, data[name])
            for name, field in self.fields.items()
            if not field.read_only and name in data
        }
        return {name: errors for name, errors in found.items() if errors}

    def _unknown(self, data: dict[str, Any]) -> dict[str, str]:
        known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
        unknown = sorted(data.keys() - self.fields.keys())
        return dict.fromkeys(unknown, f"Unknown field. Allowed fields: {known}.")

    def _changed_read_only(self, data: dict[str, Any]) -> dict[str, str]:
        sent = [name for name, field in self.fields.items() if field.read_only and name in data]
        if not sent:
            return {}
        current = self.stored(data)
        missing = object()
        changed = [name for name in sent if data[name] != current.get(name, missing)]
        return dict.fromkeys(changed, "This field is read-only.")

    def stored(self, data: dict[str, Any]) -> dict[str, Any]:
        """The row that the data would change, as it was read."""
        return {} if self.instance is None else dict(self.to_representation(self.instance))
