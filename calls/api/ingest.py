"""What the AI pipeline delivers of a call: transcript, summary, confidence, recording, tags."""

import json
import re
from typing import Any

from django.db import transaction
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from calls.intake.events import URL
from calls.intake.pipeline import Archived, NotOfThisLine, deliver
from tenants.api.problems import problem
from tenants.api.views import LineView
from tenants.credentials import KeyScope
from tenants.idempotency import KEY, KeyReused, claim, hash_request

CALL_SID = re.compile(r"[0-9A-Za-z._:-]{1,64}")
LARGEST_BODY = 5_000_000  # bytes
LONGEST_OBJECT = 100_000  # characters of JSON


class JsonObject(serializers.JSONField):
    """An object that jsonb can hold."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Send a JSON object.")
        text = json.dumps(data, ensure_ascii=False)
        if len(text) > LONGEST_OBJECT:
            raise serializers.ValidationError(f"At most {LONGEST_OBJECT} characters of JSON.")
        if re.search(r"(?<!\\)(\\\\)*\\u0000|[\ud800-\udfff]", text):
            raise serializers.ValidationError("NUL and lone surrogates are no text.")
        return super().to_internal_value(data)


class DeliverySerializer(serializers.Serializer[dict[str, Any]]):
    """Every field may be left out, and then stays as it was."""

    transcript = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=1_000_000
    )
    ai_summary = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    ai_confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    recording_url = serializers.RegexField(
        URL.pattern.replace("https?", "^https") + "$",
        required=False,
        max_length=2048,
        error_messages={"invalid": "Send an https address."},
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=100
    )
    metadata = JsonObject(required=False)
    custom_fields = JsonObject(required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(data.keys() - self.fields.keys())):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                dict.fromkeys(unknown, f"There is no such field; these may be sent: {known}.")
            )
        return super().to_internal_value(data)


class CallBySid(LineView):
    """PUT merges what it names into the call; the same request twice is the same as once.

    The call need not be known yet: the pipeline and the telephony provider do not wait for each
    other. 201 when this made it, else 200.
    """

    scopes = {"PUT": KeyScope.INGEST}

    def put(self, request: Request, call_sid: str) -> Response:
        if not CALL_SID.fullmatch(call_sid):
            raise NotFound("That is no call SID.")
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            return problem(413, f"Send at most {LARGEST_BODY} bytes.")
        key = request.headers.get("Idempotency-Key")
        if key is not None and not KEY.fullmatch(key):
            return problem(400, "An Idempotency-Key has 1 to 255 visible ASCII characters.")
        delivery = DeliverySerializer(data=request.data)
        delivery.is_valid(raise_exception=True)
        try:
            return self._deliver_once(request, call_sid, key, delivery.validated_data)
        except KeyReused:
            return problem(422, "This Idempotency-Key was used for a different request.")
        except NotOfThisLine:
            raise NotFound("This line has no such call.") from None
        except Archived:
            return problem(409, "The call is in the archive, where nothing is changed any more.")

    def _deliver_once(
        self, request: Request, call_sid: str, key: str | None, fields: dict[str, Any]
    ) -> Response:
        with transaction.atomic():
            claimed = None
            if key is not None:
                body = json.dumps(request.data, sort_keys=True).encode()
                claimed = claim(
                    key=key,
                    request_hash=hash_request(b"PUT", request.path.encode(), body),
                )
                if claimed.answer is not None:
                    replayed = {"Idempotency-Replayed": "true"}
                    return Response(claimed.answer, status=claimed.status, headers=replayed)
            delivered = deliver(call_sid=call_sid, **fields)
            status = 201 if delivered.created else 200
            if claimed is not None:
                claimed.keep(status, delivered.call)
        return Response(delivered.call, status=status)
