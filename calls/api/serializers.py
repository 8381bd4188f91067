"""The shape of a call, and what may be asked and changed.

calls.api.page writes the same shape in SQL; tests/calls/test_api_bytes.py holds the two equal.
"""

import json
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException

from calls.models import Call, CallStatus
from calls.recordings import playable_url
from tenants.api.fields import MomentField, NumberField, StrictSerializer
from tenants.api.parsing import read_json, refuse_what_is_no_text

LARGEST_PAGE = 200
MOST_TAGS = 100
LONGEST_TAG = 100
LONGEST_OBJECT = 100_000  # characters of JSON


class RecordingField(serializers.CharField):
    def to_representation(self, value: str) -> str | None:  # type: ignore[override]
        return playable_url(value)


class CallSerializer(StrictSerializer, serializers.ModelSerializer[Call]):
    ai_confidence = NumberField(max_digits=3, decimal_places=2, read_only=True)
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)
    recording_url = RecordingField(
        read_only=True,
        allow_null=True,
        help_text="Null also where the recording's host is not one of RECORDING_HOSTS.",
    )
    archived = serializers.BooleanField(
        read_only=True, help_text="Old calls are kept in the archive, where nothing changes."
    )

    class Meta:
        model = Call
        fields = [
            "id",
            "phone_id",
            "caller_number",
            "call_sid",
            "status",
            "duration",
            "recording_url",
            "transcript",
            "ai_summary",
            "created_at",
            "updated_at",
            "ai_confidence",
            "provider_status",
            "archived",
        ]
        read_only_fields = fields


FIELDS: list[str] = CallSerializer.Meta.fields


class HighlightsSerializer(serializers.Serializer[Any]):
    """Where the words of `q` stand, each between ⟦ and ⟧."""

    ai_summary = serializers.CharField(allow_null=True)
    transcript = serializers.CharField(allow_null=True)


class ListedCallSerializer(CallSerializer):
    """Without the fields that were not asked for; with highlights beside a search."""

    highlights = HighlightsSerializer(required=False)

    class Meta(CallSerializer.Meta):
        fields = [*CallSerializer.Meta.fields, "highlights"]


class TotalSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    exact = serializers.BooleanField(help_text="False: the planner's estimate.")


class CallPageSerializer(serializers.Serializer[Any]):
    results = ListedCallSerializer(many=True)
    total = TotalSerializer(required=False)
    next = serializers.CharField(
        allow_null=True, help_text="Send it as `cursor` for the next page; null on the last one."
    )


class ObjectText(serializers.CharField):
    """A JSON object, written in a query parameter."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            value = read_json(text)
            refuse_what_is_no_text(value)
        except (ValueError, RecursionError, APIException):
            value = None
        if not isinstance(value, dict) or not value:
            raise serializers.ValidationError('Write a JSON object such as {"intent":"booking"}.')
        return json.dumps(value)


class NameList(serializers.CharField):
    """Names of fields, separated by commas."""

    def to_internal_value(self, data: Any) -> Any:
        names = super().to_internal_value(data).split(",")
        if unknown := sorted(set(names) - set(FIELDS)):
            raise serializers.ValidationError(f"Unknown: {', '.join(unknown)[:200]}.")
        return [name for name in FIELDS if name in names]


def _tags() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TAG), required=False, max_length=20
    )


class CallQuery(serializers.Serializer[Any]):
    """The parameters of the list, but for cursor and limit."""

    status = serializers.ListField(
        child=serializers.ChoiceField(CallStatus.choices),
        required=False,
        help_text="Repeat it for several.",
    )
    created_after = serializers.DateTimeField(required=False, help_text="From this moment on.")
    created_before = serializers.DateTimeField(required=False, help_text="Until before it.")
    caller = serializers.CharField(required=False, max_length=256)
    caller_prefix = serializers.CharField(
        required=False, max_length=256, help_text="How the caller begins, such as +1415."
    )
    duration_min = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    duration_max = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    confidence_min = serializers.FloatField(required=False, min_value=0, max_value=1)
    confidence_max = serializers.FloatField(required=False, min_value=0, max_value=1)
    has_recording = serializers.BooleanField(required=False)
    tags = _tags()
    tags_any = _tags()
    metadata = ObjectText(required=False, max_length=2000)
    custom_fields = ObjectText(required=False, max_length=2000)
    q = serializers.CharField(required=False, max_length=500)
    archived = serializers.ChoiceField(["exclude", "include", "only"], default="exclude")
    order = serializers.ChoiceField(["-created_at", "created_at"], default="-created_at")
    fields = NameList(required=False, max_length=500)  # type: ignore[assignment]
    total = serializers.ChoiceField(["estimate", "exact"], required=False)
