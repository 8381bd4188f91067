"""The facts of a call, as a program gives them and reads them back."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializer_fields import StrictSerializer
from decisions.past_facts import LANGUAGE
from tenancy import current_scope
from tenants.addresses import ANONYMOUS, Spoilt, caller_of
from tenants.models import PhoneNumber
from tenants.rules import definitions

MAX_SAID = 20_000  # characters
MAX_INTENT = 100
MAX_LANGUAGE = 35


def _values(condition: str) -> list[str]:
    """Those that the schema of rules has."""
    values: list[str] = definitions()["conditions"]["properties"][condition]["enum"]
    return values


@extend_schema_field({"type": "string", "format": "telephone-number", "maxLength": 64})
class CallerField(serializers.CharField):
    """In any form that callbacks and files may have; in E.164 from then on, None if withheld."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_null=True, **options)

    def to_internal_value(self, data: Any) -> Any:
        text: str = super().to_internal_value(data)
        try:
            caller = caller_of(text, None if text.startswith("+") else _region())
        except Spoilt as reason:
            raise serializers.ValidationError(f"The caller {reason}.") from None
        return None if caller == ANONYMOUS else caller


def _region() -> str:
    """The country of the scope's line, in whose national form the number may be."""
    line: PhoneNumber = PhoneNumber.objects.get(pk=current_scope().phone_id)
    return line.region


class CallFactsSerializer(StrictSerializer):
    """What is known of the call. One that is missing, or null other than `caller`, is unknown."""

    sparse = True
    examples: ClassVar[dict[str, Any]] = {
        "caller": "+493012345678",
        "language": "de-DE",
        "intent": "booking",
        "said": "I would like to book a table.",
    }

    caller = CallerField(help_text="In E.164; null, or a word such as anonymous, if withheld.")
    first_time_caller = serializers.BooleanField(required=False, allow_null=True)
    asks_for_person = serializers.BooleanField(required=False, allow_null=True)
    urgency = serializers.ChoiceField(_values("urgency"), required=False, allow_null=True)
    sentiment = serializers.ChoiceField(_values("sentiment"), required=False, allow_null=True)
    intent = serializers.CharField(required=False, allow_null=True, max_length=MAX_INTENT)
    language = serializers.RegexField(
        f"^{LANGUAGE.pattern}$",
        required=False,
        allow_null=True,
        max_length=MAX_LANGUAGE,
        help_text="The tag of the language that the caller speaks.",
        error_messages={"invalid": "Expected a language tag such as en-US, de or zh-Hant-TW."},
    )

    def get_fields(self) -> dict[str, Any]:
        """The words of the caller go by the name that decisions know them by."""
        words = serializers.CharField(
            required=False,
            allow_null=True,
            allow_blank=True,
            trim_whitespace=False,
            max_length=MAX_SAID,
            help_text="All that the caller said so far.",
        )
        return {**super().get_fields(), "said": words}
