"""The AI pipeline's results of a call: transcript, summary, confidence, recording, tags."""

import re
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import IDEMPOTENCY_KEY, documented
from api.errors import Conflict
from api.idempotency import idempotent
from api.permissions import KeyScope
from api.serializer_fields import ObjectField, StrictSerializer
from api.views import LineView
from calls.api.serializers import ARCHIVED, MAX_OBJECT_LENGTH
from calls.intake.pipeline import Archived, IsLeg, deliver
from calls.intake.webhooks.events import URL
from calls.models import CallStatus
from calls.outcomes import FACTS_HELP
from database import exact_json

CALL_SID = re.compile(r"[0-9A-Za-z._:-]{1,64}")
LEG = "This SID is that of a leg, such as a transfer. Use the SID of the call it belongs to."
MAX_BODY_SIZE = 5_000_000  # bytes


class BoundedObject(ObjectField):
    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if len(exact_json.dumps(value, ensure_ascii=False)) > MAX_OBJECT_LENGTH:
            raise serializers.ValidationError(f"At most {MAX_OBJECT_LENGTH} characters of JSON.")
        return value


class DeliverySerializer(StrictSerializer):
    """Fields that are left out do not change."""

    transcript = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=1_000_000
    )
    ai_summary = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    ai_confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    recording_url = serializers.RegexField(
        URL.pattern.replace("https?", "^https") + "$",
        required=False,
        max_length=2048,
        error_messages={"invalid": "Expected an https URL."},
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=100
    )
    metadata = BoundedObject(required=False, help_text=FACTS_HELP)
    custom_fields = BoundedObject(required=False)


class DeliveredSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.UUIDField()
    phone_id = serializers.CharField()
    call_sid = serializers.CharField()
    status = serializers.ChoiceField(CallStatus.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CallBySid(LineView):
    """PUT merges the given fields into the call; repeating a request changes nothing.

    The call need not exist yet, since the pipeline and the telephony provider work independently.
    201 when the request created it, else 200.
    """

    scopes = {"PUT": KeyScope.INGEST}
    largest_body = MAX_BODY_SIZE

    @documented(
        {200: DeliveredSerializer, 201: DeliveredSerializer},
        request=DeliverySerializer,
        refusals=[409, 422],
        parameters=[IDEMPOTENCY_KEY],
    )
    def put(self, request: Request, call_sid: str) -> Response:
        if not CALL_SID.fullmatch(call_sid):
            raise NotFound("Not a call SID: expected 1 to 64 letters, digits or . _ : -")
        delivery = DeliverySerializer(data=request.data)
        delivery.is_valid(raise_exception=True)

        def act() -> Response:
            delivered = deliver(call_sid=call_sid, **delivery.validated_data)
            return Response(delivered.call, status=201 if delivered.created else 200)

        try:
            return idempotent(request, act)
        except IsLeg:
            raise Conflict(LEG) from None
        except Archived:
            raise Conflict(ARCHIVED) from None
