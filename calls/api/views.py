"""The calls of a line: the list, a call, and its metadata."""

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import documented
from api.errors import Conflict
from api.parsing import MergePatchParser, StrictJSONParser
from api.permissions import KeyScope
from api.rendering import to_json
from api.serializer_fields import StrictSerializer
from api.views import LineView
from calls.api.metadata import (
    MetadataChangeSerializer,
    MetadataSerializer,
    change_metadata,
    read_metadata,
)
from calls.api.page import count_calls, read_call, read_page
from calls.api.query import DEFAULT_PAGE, read_cursor, read_query, write_cursor
from calls.api.serializers import (
    ARCHIVED,
    MAX_PAGE_SIZE,
    CallPageSerializer,
    CallQuery,
    WholeCallSerializer,
)
from calls.models import Call, CallArchive
from tenancy import current_scope

JSON = "application/json"
MAX_SUMMARY_LENGTH = 100_000  # characters
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE},
)
CURSOR = OpenApiParameter(
    "cursor", {"type": "string", "minLength": 1}, description="`next` of the previous page."
)


class Calls(LineView):
    """Newest first, with keyset pagination: every page costs the same."""

    scopes = {"GET": KeyScope.READ}

    @documented(
        {200: CallPageSerializer},
        parameters=[CallQuery, LIMIT, CURSOR],
        operation_id="calls_list",
    )
    def get(self, request: Request) -> HttpResponse:
        parsed, limit, cursor = read_query(request.query_params)
        line = current_scope().phone_id
        query, values = parsed.query, parsed.values
        if cursor is not None:
            query = parsed.query_after_cursor
            values = {**values, **read_cursor(parsed, line, cursor)}
        page = read_page(query, values, limit=limit)
        following = f'"{write_cursor(parsed, line, page.last)}"' if page.has_more else "null"
        body = b'{"results":%b,"next":%b' % (page.results, following.encode())
        if parsed.total:
            count, exact = count_calls(parsed.query, parsed.values, exact=parsed.total == "exact")
            body += b',"total":' + to_json({"count": count, "exact": exact})
        return HttpResponse(body + b"}", content_type=JSON)


class CallChangeSerializer(StrictSerializer):
    """What a dashboard may change of a call; telephony and the AI pipeline write the rest."""

    ai_summary = serializers.CharField(max_length=MAX_SUMMARY_LENGTH, allow_null=True)


class CallView(LineView):
    """A call, live or archived."""

    scopes = {"GET": KeyScope.READ, "PATCH": KeyScope.WRITE}
    largest_body = 4 * MAX_SUMMARY_LENGTH + 1000

    @documented({200: WholeCallSerializer})
    def get(self, request: Request, call_id: uuid.UUID) -> HttpResponse:
        if (body := read_call(call_id)) is None:
            raise no_such_call()
        return HttpResponse(body, content_type=JSON)

    @documented({200: WholeCallSerializer}, request=CallChangeSerializer, refusals=[409])
    def patch(self, request: Request, call_id: uuid.UUID) -> HttpResponse:
        change = CallChangeSerializer(data=request.data, partial=True)
        change.is_valid(raise_exception=True)
        changes: dict[str, Any] = change.validated_data
        live = Call.objects.filter(pk=call_id)
        found = live.update(**changes) if changes else live.exists()
        if not found:
            raise archived_or_missing(call_id)
        answer: HttpResponse = self.get(request, call_id)
        return answer


class CallMetadataView(LineView):
    """Metadata and custom fields are merged (RFC 7396), tags are added and removed."""

    scopes = {"GET": KeyScope.READ, "PATCH": KeyScope.WRITE}
    parser_classes = [StrictJSONParser, MergePatchParser]

    @documented({200: MetadataSerializer})
    def get(self, request: Request, call_id: uuid.UUID) -> Response:
        if (known := read_metadata(call_id)) is None:
            raise no_such_call()
        return Response(known)

    @documented({200: MetadataSerializer}, request=MetadataChangeSerializer, refusals=[409])
    def patch(self, request: Request, call_id: uuid.UUID) -> Response:
        change = MetadataChangeSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        with transaction.atomic():
            if not change_metadata(call_id, **change.validated_data):
                raise archived_or_missing(call_id)
            return Response(read_metadata(call_id))


def no_such_call() -> NotFound:
    return NotFound("Call not found.")


def archived_or_missing(call_id: uuid.UUID) -> Exception:
    is_archived = CallArchive.objects.filter(pk=call_id).exists()
    return Conflict(ARCHIVED) if is_archived else no_such_call()
