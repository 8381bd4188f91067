"""What every operation of the API shares in its OpenAPI document."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from api.problems import CONTENT_TYPE, describe
from tenancy.scope import PHONE_ID

F = TypeVar("F", bound=Callable[..., Any])

ETAG = OpenApiExample("As it was read", '"9c0f4e1d2b7a6c5d8e3f1a0b9c8d7e6f"')
LINE = OpenApiParameter(
    "X-Phone-Id",
    {"type": "string", "pattern": PHONE_ID},
    OpenApiParameter.HEADER,
    description="Which line, for users of several. One that is not yours is a 404.",
    examples=[OpenApiExample("A line", "pn_4f9a")],
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters. The same request again gets the first answer.",
    examples=[OpenApiExample("Random", "0d2c8f6e-5b0a-4a52-9d5f-8f1c3f0a7f11")],
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag that was read: 412 when somebody changed it meanwhile.",
    examples=[ETAG],
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag that is known: 304.",
    examples=[ETAG],
)
DETAILS = {
    400: "Some fields are not valid.",
    401: "The API key is unknown, expired or revoked.",
    403: "These credentials lack the scope for that.",
    404: "This line has no such call.",
    405: 'Method "PUT" not allowed.',
    406: "Could not satisfy the request Accept header.",
    409: "The call is in the archive, where nothing is changed any more.",
    412: "It was changed meanwhile; read it again, then repeat your change.",
    413: "Send at most 200000 bytes.",
    415: 'Unsupported media type "text/plain" in request.',
    422: "This Idempotency-Key was used for a different request.",
    429: "Request was throttled. Expected available in 30 seconds.",
    503: "The database is busy or away; send the request again.",
}
ALWAYS = (400, 401, 403, 404, 406, 429, 503)
WITH_BODY = (413, 415)


class FaultSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(required=False, help_text="RFC 6901, into the body.")
    parameter = serializers.CharField(required=False, help_text="Of the query string.")
    header = serializers.CharField(required=False)
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """https://www.rfc-editor.org/rfc/rfc9457"""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    faults = [{"pointer": "#/timezone", "detail": "Choose an IANA time zone."}]
    return {
        (status, CONTENT_TYPE): OpenApiResponse(
            ProblemSerializer,
            description=DETAILS[status],
            examples=[
                OpenApiExample(
                    str(status),
                    describe(status, DETAILS[status], errors=faults if status == 400 else ()),
                    media_type=CONTENT_TYPE,
                )
            ],
        )
        for status in statuses
    }


def documented(
    answers: Mapping[int, Any],
    *,
    request: Any = None,
    refusals: Sequence[int] = (),
    parameters: Sequence[Any] = (),
    **options: Any,
) -> Callable[[F], F]:
    """@extend_schema with the refusals and the header that every operation has."""
    statuses = sorted({*ALWAYS, *refusals, *(WITH_BODY if request is not None else ())})
    decorate: Callable[[F], F] = extend_schema(
        request=request,
        parameters=[LINE, *parameters],
        responses={**answers, **problems(*statuses)},
        **options,
    )
    return decorate


NOTHING = OpenApiResponse(description="Done.")
UNCHANGED = OpenApiResponse(description="You have it already.")
ANY_OBJECT = OpenApiTypes.OBJECT
