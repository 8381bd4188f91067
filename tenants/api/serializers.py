"""The serializers of a line's settings."""

from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import model_to_dict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.serializers import as_serializer_error

from api.serializer_fields import (
    ClockField,
    DayField,
    MomentField,
    NumberField,
    ObjectField,
    StrictSerializer,
    TimezoneField,
)
from tenants.models import (
    LANGUAGE_TAG,
    BusinessHours,
    BusinessHoursInterval,
    ConversationRule,
    PhoneNumber,
    SpecialDay,
    SpecialDayInterval,
    TransferPlace,
    VoiceSettings,
    default_voice,
)
from tenants.rules import InvalidRule
from tenants.special_days import MAX_LABEL_LENGTH
from tenants.transfer_places import MAX_NAME_LENGTH as MAX_PLACE_LENGTH

M = TypeVar("M", bound=Model)

MAX_NAME_LENGTH = 200  # characters
MAX_TEXT_LENGTH = 2000


class RowSerializer(StrictSerializer, serializers.ModelSerializer[M]):
    """Writes the fields that were sent, which are the columns that the API's login may write."""

    def update(self, instance: M, validated_data: dict[str, Any]) -> M:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        return instance


class ValidatedSerializer(RowSerializer[M]):
    """A row that its model's clean() checks and normalizes."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: Any = self.Meta.model
        names = set(model.checked_fields)
        if not attrs.keys() & names:
            return attrs
        # The row as it will be; a missing field has the value that is stored.
        stored = {} if self.instance is None else model_to_dict(self.instance, names)
        row = model(**stored | {name: attrs[name] for name in attrs.keys() & names})
        row.pk = getattr(self.instance, "pk", row.pk)
        try:
            row.clean()
        except InvalidRule as refused:
            raise serializers.ValidationError(_nested(refused.faults)) from refused
        except ValidationError as refused:
            raise serializers.ValidationError(as_serializer_error(refused)) from refused
        return attrs | {name: getattr(row, name) for name in attrs.keys() & names}


def _nested(faults: list[tuple[str, str]]) -> dict[str, Any]:
    """Such as {"conditions": {"intent": {"0": [message]}}}: the first message of each place."""
    errors: dict[str, Any] = {}
    for path, message in faults:
        *parents, last = path.split("/")
        target = errors
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                break
        else:
            target.setdefault(last, [message])
    return errors


class PhoneNumberSerializer(RowSerializer[PhoneNumber]):
    examples: ClassVar[dict[str, Any]] = {
        "number": "+14155550101",
        "display_name": "Front desk",
        "business_name": "Rye & Sons",
        "timezone": "America/New_York",
    }

    timezone = TimezoneField(required=False)
    created_at = MomentField(read_only=True)

    class Meta:
        model = PhoneNumber
        fields = ["id", "number", "display_name", "business_name", "timezone", "created_at"]
        read_only_fields = ["id", "number"]
        extra_kwargs = {
            "display_name": {"max_length": MAX_NAME_LENGTH, "allow_blank": False},
            "business_name": {"max_length": MAX_NAME_LENGTH},
        }


@extend_schema_field({"type": "string", "format": "voice-name", "maxLength": MAX_NAME_LENGTH})
class VoiceNameField(serializers.CharField):
    """One of the installation's voices, or the stored one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_NAME_LENGTH, **options)


class VoiceSettingsSerializer(ValidatedSerializer[VoiceSettings]):
    examples: ClassVar[dict[str, Any]] = {
        "voice_name": "Nova",
        "language": "de",
        "speech_speed": 1.1,
        "greeting_message": "Good morning, Rye & Sons.",
    }

    voice_name = VoiceNameField(
        default=default_voice(),
        help_text="A voice of the installation; another one is refused with the list of them.",
    )
    speech_speed = NumberField(
        max_digits=3,
        decimal_places=2,
        min_value=Decimal("0.25"),
        max_value=Decimal(4),
        default=Decimal(1),
        help_text="1 is normal.",
    )
    language = serializers.RegexField(
        LANGUAGE_TAG,
        default="en-US",
        help_text="A language tag such as en-US, de or zh-Hant-TW.",
        error_messages={"invalid": "Expected a language tag such as en-US, de or zh-Hant-TW."},
    )
    updated_at = MomentField(read_only=True)

    class Meta:
        model = VoiceSettings
        fields = [
            "id",
            "phone_id",
            "voice_model",
            "voice_name",
            "speech_speed",
            "language",
            "greeting_message",
            "updated_at",
        ]
        read_only_fields = ["id", "phone_id"]
        extra_kwargs = {
            "voice_model": {"max_length": MAX_NAME_LENGTH, "default": "neural"},
            "greeting_message": {"max_length": MAX_TEXT_LENGTH, "default": None},
        }


class ConversationRuleSerializer(ValidatedSerializer[ConversationRule]):
    conditions = ObjectField(default=dict)
    actions = ObjectField()
    created_at = MomentField(read_only=True)

    class Meta:
        model = ConversationRule
        fields = [
            "id",
            "phone_id",
            "rule_type",
            "conditions",
            "actions",
            "priority",
            "is_active",
            "created_at",
        ]
        read_only_fields = ["id", "phone_id"]
        extra_kwargs = {"priority": {"default": 0}, "is_active": {"default": True}}


@extend_schema_field({"type": "string", "format": "telephone-number", "maxLength": 64})
class TelephoneNumberField(serializers.CharField):
    """In E.164, or in the national form of the line's country; stored and answered in E.164."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)


class TransferPlaceSerializer(ValidatedSerializer[TransferPlace]):
    examples: ClassVar[dict[str, Any]] = {"name": "Front desk", "number": "+14155550123"}

    number = TelephoneNumberField(
        help_text="In E.164 or in the national form of the line's country; not the line's own."
    )
    created_at = MomentField(read_only=True)

    class Meta:
        model = TransferPlace
        fields = ["id", "phone_id", "name", "number", "created_at"]
        read_only_fields = ["id", "phone_id"]
        extra_kwargs = {
            "name": {
                "max_length": MAX_PLACE_LENGTH,
                "help_text": "By this name, in any case, a rule's transfer_to means the place.",
            }
        }


class OrderSerializer(StrictSerializer):
    """All rules of the line in the order of evaluation."""

    rules = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=1000)


class BusinessHoursSerializer(RowSerializer[BusinessHours]):
    examples: ClassVar[dict[str, Any]] = {
        "open_time": "09:00",
        "close_time": "17:30:00",
        "timezone": "America/New_York",
    }

    open_time = ClockField()
    close_time = ClockField()
    timezone = TimezoneField(default="UTC")

    class Meta:
        model = BusinessHours
        fields = [
            "id",
            "phone_id",
            "day_of_week",
            "open_time",
            "close_time",
            "timezone",
            "is_closed",
        ]
        read_only_fields = ["id", "phone_id"]
        extra_kwargs = {
            "day_of_week": {"help_text": "0 is Sunday, 6 is Saturday."},
            "is_closed": {"default": False},
        }


class BusinessHoursIntervalSerializer(RowSerializer[BusinessHoursInterval]):
    examples: ClassVar[dict[str, Any]] = {"open_time": "13:00", "close_time": "17:30"}

    open_time = ClockField()
    close_time = ClockField()

    class Meta:
        model = BusinessHoursInterval
        fields = ["id", "phone_id", "day_of_week", "open_time", "close_time"]
        read_only_fields = ["id", "phone_id"]
        extra_kwargs = {"day_of_week": {"help_text": "0 is Sunday, 6 is Saturday."}}


class SpecialDayIntervalSerializer(StrictSerializer):
    open_time = ClockField()
    close_time = ClockField(help_text="Not after open_time: the next day's; equal: 24 hours.")


class SpecialDaySerializer(RowSerializer[SpecialDay]):
    """A day that is closed, or has no intervals, is closed all day."""

    examples: ClassVar[dict[str, Any]] = {
        "date": "2026-12-24",
        "label": "Christmas Eve",
        "intervals": [{"open_time": "09:00", "close_time": "12:00"}],
    }

    date = DayField()
    intervals = SpecialDayIntervalSerializer(
        many=True,
        default=list,
        max_length=20,  # type: ignore[call-arg]
    )

    class Meta:
        model = SpecialDay
        fields = ["id", "phone_id", "date", "label", "is_closed", "intervals"]
        read_only_fields = ["id", "phone_id"]
        extra_kwargs = {
            "label": {"max_length": MAX_LABEL_LENGTH, "default": ""},
            "is_closed": {"default": False},
        }

    def create(self, validated_data: dict[str, Any]) -> SpecialDay:
        intervals = validated_data.pop("intervals")
        day = super().create(validated_data)
        _set_intervals(day, intervals)
        return day

    def update(self, instance: SpecialDay, validated_data: dict[str, Any]) -> SpecialDay:
        intervals = validated_data.pop("intervals", None)
        day = super().update(instance, validated_data)
        if intervals is not None:
            day.intervals.all().delete()
            _set_intervals(day, intervals)
        return day


def _set_intervals(day: SpecialDay, intervals: list[dict[str, Any]]) -> None:
    SpecialDayInterval.objects.bulk_create(
        SpecialDayInterval(special_day=day, **interval) for interval in intervals
    )


class WeekSerializer(StrictSerializer):
    """The hours of the whole week; days that are left out have none.

    Without `intervals` the further intervals stay as they are.
    """

    days = BusinessHoursSerializer(many=True, max_length=7)  # type: ignore[call-arg]
    intervals = BusinessHoursIntervalSerializer(
        many=True,
        required=False,
        max_length=140,  # type: ignore[call-arg]
    )

    def validate_days(self, days: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({day["day_of_week"] for day in days}) != len(days):
            raise serializers.ValidationError("A day of the week appears twice.")
        return days
