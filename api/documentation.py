"""The parts of the OpenAPI document shared by all operations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from api.problems import CONTENT_TYPE, describe
from tenancy.scope import PHONE_ID

F = TypeVar("F", bound=Callable[..., Any])

ETAG = OpenApiExample("Not modified", '"9c0f4e1d2b7a6c5d8e3f1a0b9c8d7e6f"')
LINE = OpenApiParameter(
    "X-Phone-Id",
    {"type": "string", "pattern": PHONE_ID},
    OpenApiParameter.HEADER,
    description="The line, for users with several. 404 if it is not yours.",
    examples=[OpenApiExample("A line", "pn_4f9a")],
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters. A repeated request gets the first response.",
    examples=[OpenApiExample("Random", "0d2c8f6e-5b0a-4a52-9d5f-8f1c3f0a7f11")],
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the version that you read; 412 if it has changed since.",
    examples=[ETAG],
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of your copy; 304 if it is current.",
    examples=[ETAG],
)
DETAILS = {
    400: "Some fields are not valid.",
    401: "The API key is unknown, expired or revoked.",
    403: "These credentials lack the required scope.",
    404: "Call not found.",
    405: 'Method "PUT" not allowed.',
    406: "Could not satisfy the request Accept header.",
    409: "Archived calls cannot be changed.",
    412: "This resource has changed. Read it again, then repeat your change.",
    413: "Send at most 200000 bytes.",
    415: 'Unsupported media type "text/plain" in request.',
    422: "This Idempotency-Key was used for a different request.",
    429: "Request was throttled. Expected available in 30 seconds.",
    503: "The database is busy or unavailable. Send the request again.",
}
ALWAYS = (400, 401, 403, 404, 406, 429, 503)
WITH_BODY = (413, 415)


class FaultSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(
        required=False, help_text="A JSON Pointer (RFC 6901) into the request body."
    )
    parameter = serializers.CharField(required=False, help_text="A parameter of the query string.")
    header = serializers.CharField(required=False)
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """https://www.rfc-editor.org/rfc/rfc9457"""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    # Of an internal error, which the log has under it.
    request_id = serializers.CharField(required=False)
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
    """@extend_schema with the errors and the header that every operation has."""
    statuses = sorted({*ALWAYS, *refusals, *(WITH_BODY if request is not None else ())})
    decorate: Callable[[F], F] = extend_schema(
        request=request,
        parameters=[LINE, *parameters],
        responses={**answers, **problems(*statuses)},
        **options,
    )
    return decorate


NOTHING = OpenApiResponse(description="Done.")
UNCHANGED = OpenApiResponse(description="Your copy is current.")
ANY_OBJECT = OpenApiTypes.OBJECT
