"""The fields of a call, the parameters of the list, and what may be changed.

calls.api.page writes the same shape in SQL; tests/calls/test_api_bytes.py holds the two equal.
"""

import re
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException

from api.parsing import read_json, refuse_what_is_no_text
from api.serializer_fields import InstantOrDayField, MomentField, NumberField, StrictSerializer
from calls.claims import provider_sid
from calls.confidence import confidence_of
from calls.duration import KNOWN_DURATION_HELP, known_duration
from calls.legs import RESULTS, CallLeg
from calls.models import Call, CallStatus
from calls.outcomes import (
    ENDED_BY_HELP,
    OUTCOME_HELP,
    CallOutcome,
    EndedBy,
    sentence_of,
)
from calls.recordings import CallRecording, playable_url
from database import exact_json
from tenants.addresses import Spoilt, stored_caller_of
from tenants.numbers import one_form_of_prefix

MAX_PAGE_SIZE = 200
MAX_TAGS = 100
MAX_TAG_LENGTH = 100
MAX_OBJECT_LENGTH = 100_000  # characters of JSON
MAX_CONDITION_LENGTH = 2000
PART_OF_A_NUMBER = re.compile(r"\+[0-9 ().-]+")
ARCHIVED = "Archived calls cannot be changed."


class RecordingField(serializers.CharField):
    def to_representation(self, value: str) -> str | None:  # type: ignore[override]
        return playable_url(value)


class CallerField(serializers.CharField):
    """A caller in any spelling, as calls have it."""

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(_with_plus(data))
        try:
            return stored_caller_of(text)
        except Spoilt:
            return text  # no call has it


class CallerPrefixField(serializers.CharField):
    """The beginning of a caller's number, as calls have it."""

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(_with_plus(data))
        if not PART_OF_A_NUMBER.fullmatch(text):
            return text
        return one_form_of_prefix("+" + re.sub(r"\D", "", text))


def _with_plus(data: Any) -> Any:
    """A plus sign in a query string means a space unless it is written as %2B."""
    text = data if isinstance(data, str) else ""
    return f"+{text[1:]}" if re.match(r" [1-9]", text) else data


class CallSidField(serializers.CharField):
    def to_representation(self, value: Call) -> str:  # type: ignore[override]
        return provider_sid(value)


class ConfidenceField(NumberField):
    def get_attribute(self, instance: Call) -> Decimal | None:
        return confidence_of(instance)


class CallSerializer(StrictSerializer, serializers.ModelSerializer[Call]):
    call_sid = CallSidField(source="*", read_only=True)
    ai_confidence = ConfidenceField(
        max_digits=3,
        decimal_places=2,
        read_only=True,
        allow_null=True,
        help_text="Null where no AI spoke: the call rings, or failed before it was answered.",
    )
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)
    recording_url = RecordingField(
        read_only=True,
        allow_null=True,
        help_text="Also null if the recording's host is not in RECORDING_HOSTS.",
    )
    duration_known = serializers.SerializerMethodField(help_text=KNOWN_DURATION_HELP)
    outcome = serializers.ChoiceField(CallOutcome.choices, read_only=True, help_text=OUTCOME_HELP)
    outcome_sentence = serializers.SerializerMethodField(
        help_text="The outcome in a sentence for the owner of the line."
    )
    ended_by = serializers.ChoiceField(
        EndedBy.choices, read_only=True, allow_null=True, help_text=ENDED_BY_HELP
    )
    archived = serializers.BooleanField(
        read_only=True, help_text="Whether the call is in the archive, which is read-only."
    )

    class Meta:
        model = Call
        fields = [
            "id",
            "phone_id",
            "caller_number",
            "call_sid",
            "status",
            "outcome",
            "outcome_sentence",
            "ended_by",
            "duration",
            "duration_known",
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

    def get_duration_known(self, call: Any) -> bool:
        return known_duration(call) is not None

    def get_outcome_sentence(self, call: Any) -> str:
        return sentence_of(
            call.outcome, ended_by=call.ended_by, provider_status=call.provider_status
        )


FIELDS: list[str] = CallSerializer.Meta.fields


class LegSerializer(serializers.ModelSerializer[CallLeg]):
    """A further connection of the call, such as the transfer to a person."""

    to = serializers.CharField(allow_null=True, help_text="Who was called.")
    result = serializers.ChoiceField(
        sorted(set(RESULTS.values())), allow_null=True, help_text="Null while it is not decided."
    )
    started_at = MomentField(read_only=True, allow_null=True)
    ended_at = MomentField(read_only=True, allow_null=True)

    class Meta:
        model = CallLeg
        fields = [
            "leg_sid",
            "direction",
            "to",
            "status",
            "result",
            "duration",
            "started_at",
            "ended_at",
        ]
        read_only_fields = fields


class CallRecordingSerializer(serializers.ModelSerializer[CallRecording]):
    """A recording that the provider reported."""

    url = RecordingField(
        read_only=True,
        allow_null=True,
        help_text="Also null if the recording's host is not in RECORDING_HOSTS.",
    )
    started = MomentField(read_only=True, allow_null=True)

    class Meta:
        model = CallRecording
        fields = ["recording_sid", "url", "duration", "channels", "source", "state", "started"]
        read_only_fields = fields


class WholeCallSerializer(CallSerializer):
    """A call with its legs and recordings."""

    legs = LegSerializer(many=True, read_only=True)
    recordings = CallRecordingSerializer(many=True, read_only=True)

    class Meta(CallSerializer.Meta):
        fields = [*CallSerializer.Meta.fields, "legs", "recordings"]
        read_only_fields = fields


class HighlightsSerializer(serializers.Serializer[Any]):
    """Excerpts with the words of `q`, each between ⟦ and ⟧."""

    ai_summary = serializers.CharField(allow_null=True)
    transcript = serializers.CharField(allow_null=True)


class ListedCallSerializer(CallSerializer):
    """Only the requested fields; with highlights in a search."""

    sparse = True
    highlights = HighlightsSerializer(required=False)

    class Meta(CallSerializer.Meta):
        fields = [*CallSerializer.Meta.fields, "highlights"]


class TotalSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    exact = serializers.BooleanField(help_text="False: there are at least so many.")


class CallPageSerializer(serializers.Serializer[Any]):
    results = ListedCallSerializer(many=True)
    total = TotalSerializer(required=False)
    next = serializers.CharField(
        allow_null=True, help_text="Send it as `cursor` for the next page; null on the last one."
    )


@extend_schema_field(
    {
        "type": "string",
        "format": "json-object",
        "maxLength": MAX_CONDITION_LENGTH,
        "contentMediaType": "application/json",
        "contentSchema": {"type": "object", "minProperties": 1},
    }
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
            raise serializers.ValidationError(
                'Expected a JSON object such as {"intent":"booking"}.'
            )
        return exact_json.dumps(value)


class NameList(serializers.ListField):
    """Names of fields, repeated or separated by commas; in the order of the whole call."""

    child = serializers.ChoiceField(FIELDS)

    def to_internal_value(self, data: Any) -> Any:
        names = [name for text in data for name in text.split(",")]
        if unknown := sorted(set(names) - set(FIELDS)):
            raise serializers.ValidationError(f"Unknown: {', '.join(unknown)[:200]}.")
        return [name for name in FIELDS if name in names]


def _tags() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=MAX_TAG_LENGTH), required=False, max_length=20
    )


class CallQuery(serializers.Serializer[Any]):
    """The parameters of the list, but for cursor and limit."""

    examples: ClassVar[dict[str, Any]] = {
        "status": ["completed", "failed"],
        "outcome": ["transferred_not_answered", "busy"],
        "created_after": "2026-03-01T00:00:00Z",
        "created_before": "2026-04-01T00:00:00+02:00",
        "caller": "+14155550123",
        "caller_prefix": "+1415",
        "duration_min": 30,
        "duration_max": 600,
        "confidence_min": 0.5,
        "confidence_max": 0.9,
        "has_recording": True,
        "tags": ["vip"],
        "tags_any": ["vip", "new"],
        "metadata": '{"intent":"booking"}',
        "custom_fields": '{"order":{"id":7}}',
        "q": "rye bread",
        "fields": ["id", "caller_number", "created_at"],
        "total": "estimate",
    }

    status = serializers.ListField(
        child=serializers.ChoiceField(CallStatus.choices),
        required=False,
        help_text="Repeat for several values.",
    )
    outcome = serializers.ListField(
        child=serializers.ChoiceField(CallOutcome.choices),
        required=False,
        help_text="How the calls ended. Repeat for several values.",
    )
    created_after = InstantOrDayField(
        required=False,
        help_text="At or after this time, or the beginning of this day on the line's clock.",
    )
    created_before = InstantOrDayField(
        required=False,
        help_text="Before this time, or before this day begins on the line's clock.",
    )
    caller = CallerField(
        required=False,
        max_length=256,
        help_text="The caller's number with its country code, in any notation, or anonymous for"
        " all withheld callers.",
    )
    caller_prefix = CallerPrefixField(
        required=False, max_length=256, help_text="A prefix of the caller's number, such as +1415."
    )
    duration_min = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Of known durations."
    )
    duration_max = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Of known durations."
    )
    confidence_min = serializers.FloatField(required=False, min_value=0, max_value=1)
    confidence_max = serializers.FloatField(required=False, min_value=0, max_value=1)
    has_recording = serializers.BooleanField(required=False)
    tags = _tags()
    tags_any = _tags()
    metadata = ObjectText(required=False, max_length=MAX_CONDITION_LENGTH)
    custom_fields = ObjectText(required=False, max_length=MAX_CONDITION_LENGTH)
    q = serializers.CharField(required=False, max_length=500)
    archived = serializers.ChoiceField(["exclude", "include", "only"], default="exclude")
    order = serializers.ChoiceField(["-created_at", "created_at"], default="-created_at")
    fields = NameList(  # type: ignore[assignment]
        required=False, help_text="Return only these fields. Repeat, or separate by commas."
    )
    total = serializers.ChoiceField(
        ["estimate", "exact"],
        required=False,
        help_text="How many calls match. An estimate counts no further than 10,000 calls, or"
        " 100,000 without any filter; `exact` in the answer is false beyond that.",
    )
