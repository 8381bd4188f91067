"""Column defaults and CHECKs in the words of the schema document, for every app's models."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Func, JSONField, Q, TextField, Transform
from django.db.models.expressions import RawSQL

# Defaults that PostgreSQL fills in, written as the document writes them.
NOW = RawSQL("now()", ())
EMPTY_OBJECT = RawSQL("'{}'::jsonb", ())
EMPTY_LIST = RawSQL("'[]'::jsonb", ())
EMPTY_ARRAY = RawSQL("'{}'::text[]", ())
RANDOM_UUID = RawSQL("gen_random_uuid()", ())


@cache
def timezones() -> frozenset[str]:
    """The time zones that app.is_timezone() accepts: UTC or Area/Location."""
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")


def validate_timezone(name: str) -> None:
    if name not in timezones():
        raise ValidationError(
            "%(name)s is not an IANA time zone. Write one such as Europe/Berlin or UTC.",
            params={"name": name},
        )


@JSONField.register_lookup
class JSONType(Transform):
    """jsonb_typeof(column): 'object', 'array', 'string', …"""

    lookup_name = "jsonb_typeof"
    function = "jsonb_typeof"
    output_field = TextField()


class KnownTimezone(Func):
    """True when PostgreSQL knows the IANA time zone."""

    function = "app.is_timezone"
    output_field = models.BooleanField()


def is_object(table: str, column: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{column}__jsonb_typeof": "object"}),
        name=f"{table}_{column}_object",
        violation_error_message=f"{column} must be a JSON object: {{…}}.",
    )


def is_timezone(table: str, column: str = "timezone") -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=KnownTimezone(models.F(column)),
        name=f"{table}_{column}_known",
        violation_error_message="Choose an IANA time zone, such as Europe/Berlin or UTC.",
    )


def is_one_of(
    table: str, column: str, choices: type[models.TextChoices]
) -> models.CheckConstraint:
    values: list[Any] = list(choices.values)
    return models.CheckConstraint(
        condition=Q(**{f"{column}__in": values}),
        name=f"{table}_{column}_check",
        violation_error_message=f"{column} must be one of: {', '.join(values)}.",
    )
