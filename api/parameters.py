"""The parameters of a query string."""

from typing import Any

from rest_framework.request import Request

from api.errors import Invalid
from api.parsing import NOT_TEXT
from api.serializer_fields import StrictSerializer


def validated(query: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """The parameters of a request. Raises Invalid, which names each wrong one."""
    named = dict(request.query_params.lists())
    twice = [name for name, values in named.items() if len(values) > 1]
    bad = [name for name, values in named.items() if NOT_TEXT.search("".join(values))]
    errors: dict[str, Any] = dict.fromkeys(
        [*twice, *bad], "Give this parameter only once, as plain text."
    )
    if not errors:
        parsed = query(data={name: values[0] for name, values in named.items()})
        if parsed.is_valid():
            return dict(parsed.validated_data)
        errors = dict(parsed.errors)
    raise Invalid(
        [
            {
                "parameter": ascii(name)[1:-1],
                "detail": str(detail[0] if isinstance(detail, list) else detail),
            }
            for name, detail in errors.items()
        ]
    )
