"""Column defaults and CHECKs in the words of the schema document, for every app's models."""

from typing import Any

from django.db import models
from django.db.models import Func, JSONField, Q, TextField, Transform
from django.db.models.expressions import RawSQL

# Defaults that PostgreSQL fills in, written as the document writes them.
NOW = RawSQL("now()", ())
EMPTY_OBJECT = RawSQL("'{}'::jsonb", ())
EMPTY_ARRAY = RawSQL("'{}'::text[]", ())
RANDOM_UUID = RawSQL("gen_random_uuid()", ())

# BCP 47 as far as speech services use it: language, script, region; en, en-US, zh-Hant-TW, es-419.
LANGUAGE_TAG = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"
# ITU-T E.164: a plus sign, no leading zero, at most 15 digits.
E164 = r"^\+[1-9][0-9]{1,14}$"


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
