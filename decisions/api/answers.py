"""The answer of a decision in the OpenAPI document; decisions.answer writes it."""

from typing import Any, get_args

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializer_fields import MomentField
from decisions.answer import Result
from decisions.api.calendar import RowSerializer
from decisions.api.facts import CallFactsSerializer
from decisions.decision import RULE_TYPES
from decisions.hours import Reason
from decisions.situation import FACT_NAMES
from decisions.truth import Truth

TRUTH = list(get_args(Truth))
FACT = sorted(FACT_NAMES)
# The component that is made of TRUTH.
VALUE = {"$ref": "#/components/schemas/Truth"}


class HoursStateSerializer(serializers.Serializer[Any]):
    """Open or closed at the moment, since and until when, and by which row."""

    is_open = serializers.BooleanField(allow_null=True, help_text="Null when no hours are set.")
    since = MomentField(allow_null=True, help_text="Null if more than 400 days ago.")
    until = MomentField(allow_null=True, help_text="Null if not within 400 days.")
    reason = serializers.ChoiceField(list(get_args(Reason)))
    decided_by = RowSerializer(allow_null=True)


class PendingRuleSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    waits_for = serializers.ListField(child=serializers.ChoiceField(FACT))


class RuleDecisionSerializer(serializers.Serializer[Any]):
    winner = serializers.UUIDField(allow_null=True)
    pending = PendingRuleSerializer(
        many=True, help_text="Rules before the winner that win if what they wait for holds."
    )


def _actions(rule_type: str) -> Any:
    """Of a winner. The component is made of the schema of rules."""
    shape = {"$ref": f"#/components/schemas/{rule_type.title()}Actions"}

    @extend_schema_field({"oneOf": [shape, {"type": "null"}]})
    class ActionsField(serializers.Field[Any, Any, Any, Any]):
        pass

    return ActionsField(help_text="Of the winner.")


class GreetingDecisionSerializer(RuleDecisionSerializer):
    actions = _actions("greeting")


class RoutingDecisionSerializer(RuleDecisionSerializer):
    actions = _actions("routing")


class TransferDecisionSerializer(RuleDecisionSerializer):
    actions = _actions("transfer")
    transfer_number = serializers.CharField(
        allow_null=True, help_text="What to call: transfer_to, or the number of the named place."
    )


class HoursDecisionSerializer(RuleDecisionSerializer):
    actions = _actions("hours")


class RuleDecisionsSerializer(serializers.Serializer[Any]):
    greeting = GreetingDecisionSerializer()
    routing = RoutingDecisionSerializer()
    transfer = TransferDecisionSerializer()
    hours = HoursDecisionSerializer()


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [
                VALUE,
                {
                    "type": "object",
                    "properties": {"value": VALUE, "of": {}},
                    "required": ["value", "of"],
                },
            ]
        },
        "examples": [
            {
                "urgency": "unknown",
                "not": {"value": "false", "of": {"value": "true", "conditions": {"date": "true"}}},
            }
        ],
    }
)
class ConditionValuesField(serializers.Field[Any, Any, Any, Any]):
    """Of each condition its value; `any` and `not` have one, and the parts that it comes of."""


class TracedRuleSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    rule_type = serializers.ChoiceField(list(RULE_TYPES))
    result = serializers.ChoiceField(list(get_args(Result)))
    value = serializers.ChoiceField(TRUTH)
    conditions = ConditionValuesField()


class KeptAnswerSerializer(serializers.Serializer[Any]):
    """What is kept of an answer."""

    hours = HoursStateSerializer()
    decisions = RuleDecisionsSerializer(help_text="Of each type of rule the one that wins.")
    trace = TracedRuleSerializer(
        many=True, help_text="All rules of the line, in the order in which they are tried."
    )
    derived = serializers.ListField(
        child=serializers.ChoiceField(["first_time_caller"]),
        help_text="The facts that were not given, but found in the line's calls.",
    )


class DecidedGreetingSerializer(serializers.Serializer[Any]):
    say = serializers.CharField()
    language = serializers.CharField()


class DecidedVoiceSerializer(serializers.Serializer[Any]):
    voice_model = serializers.CharField()
    voice_name = serializers.CharField()
    speech_speed = serializers.FloatField()
    language = serializers.CharField()
    greeting_message = serializers.CharField(allow_null=True)


class DecisionAnswerSerializer(KeptAnswerSerializer):
    """What to do now, and why."""

    at = MomentField()
    facts = CallFactsSerializer(help_text="As they were used, the derived ones among them.")
    settings_version = serializers.CharField(
        help_text="The same for the same settings of the line."
    )
    voice_settings = DecidedVoiceSerializer()
    greeting = DecidedGreetingSerializer(
        allow_null=True,
        help_text="What the AI shall say first: of the greeting rule that wins, or of the voice"
        " settings.",
    )


class CallDecisionSerializer(serializers.Serializer[Any]):
    at = MomentField(help_text="The moment that was decided about.")
    created_at = MomentField(help_text="When it was decided.")
    settings_version = serializers.CharField()
    facts = CallFactsSerializer(help_text="What was known of the call then.")
    answer = KeptAnswerSerializer()
