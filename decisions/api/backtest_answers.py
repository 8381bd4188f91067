"""The answer of a backtest, as JSON and in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any, get_args

from rest_framework import serializers

from api.serializer_fields import MomentField
from decisions.api.answers import PendingRuleSerializer
from decisions.backtest import Backtest, Counts, result_of
from decisions.comparison import Comparison, Kind
from decisions.conflicts import CODES
from decisions.differences_in_words import ExplainedDifference, Side, explained
from tenants.models import RuleType

KINDS = list(get_args(Kind))
NEWEST = "The oldest of the calls that were compared; null if there was none."


class BacktestSideSerializer(serializers.Serializer[Any]):
    sentence = serializers.CharField(help_text="What is decided, in words.")
    is_open = serializers.BooleanField(allow_null=True)
    winner = serializers.UUIDField(allow_null=True)
    pending = PendingRuleSerializer(many=True)


class BacktestDifferenceSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(KINDS)
    rule_type = serializers.ChoiceField(
        RuleType.choices, allow_null=True, help_text="Null for open and closed."
    )
    before = BacktestSideSerializer(help_text="By the settings of today.")
    after = BacktestSideSerializer(help_text="By the draft.")
    why = serializers.CharField()


class ChangedCallSerializer(serializers.Serializer[Any]):
    call_id = serializers.UUIDField()
    created_at = MomentField()
    result = serializers.ChoiceField(["would_change", "cannot_be_told"])
    differences = BacktestDifferenceSerializer(many=True)


class DifferenceCountSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(KINDS)
    rule_type = serializers.ChoiceField(RuleType.choices, allow_null=True)
    calls = serializers.IntegerField()


class BacktestCountsSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="Calls that were compared.")
    would_change = serializers.IntegerField()
    cannot_be_told = serializers.IntegerField(help_text="It depends on facts that are not known.")
    sentence = serializers.CharField()
    by_kind = DifferenceCountSerializer(many=True, help_text="A call may differ in several ways.")
    is_complete = serializers.BooleanField(
        help_text="Whether all calls of the range were compared; else only the newest were."
    )
    oldest = MomentField(allow_null=True, help_text=NEWEST)


class SettingsConflictSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(list(CODES))
    sentence = serializers.CharField()
    rules = serializers.ListField(child=serializers.UUIDField())


class BacktestAnswerSerializer(serializers.Serializer[Any]):
    since = MomentField()
    until = MomentField(help_text="Not included.")
    settings_version = serializers.CharField(help_text="Of the settings of today.")
    counts = BacktestCountsSerializer(allow_null=True, help_text="In the first answer only.")
    conflicts = SettingsConflictSerializer(
        many=True, allow_null=True, help_text="Of the draft; in the first answer only."
    )
    results = ChangedCallSerializer(many=True, help_text="Newest first.")
    next = serializers.CharField(
        allow_null=True,
        help_text="Send it as `cursor`, beside the same draft, for the calls that follow. The list"
        " may be shorter than `limit`, or empty, before it ends.",
    )


EXAMPLE: dict[str, Any] = {
    "since": "2026-02-07T12:00:00.000000Z",
    "until": "2026-03-09T12:00:00.000000Z",
    "settings_version": "0d2c8f6e5b0a4a529d5f8f1c3f0a7f11",
    "counts": {
        "total": 612,
        "would_change": 41,
        "cannot_be_told": 17,
        "sentence": "41 of 612 would change, 17 cannot be told",
        "by_kind": [
            {"kind": "another_rule_wins", "rule_type": "routing", "calls": 41},
            {"kind": "cannot_be_told", "rule_type": "routing", "calls": 17},
        ],
        "is_complete": True,
        "oldest": "2026-02-07T14:20:11.000000Z",
    },
    "conflicts": [],
    "results": [
        {
            "call_id": "8c7e2a51-90a3-4d5c-b9fb-2f6a3c1d4e01",
            "created_at": "2026-03-09T11:02:03.000000Z",
            "result": "would_change",
            "differences": [
                {
                    "kind": "another_rule_wins",
                    "rule_type": "routing",
                    "before": {
                        "sentence": "Route to sales because: it always applies.",
                        "is_open": True,
                        "winner": "8c7e2a51-90a3-4d5c-b9fb-2f6a3c1d4e02",
                        "pending": [],
                    },
                    "after": {
                        "sentence": "Route to service because: the caller is new (yes).",
                        "is_open": True,
                        "winner": "00000000-0000-0000-0000-000000000001",
                        "pending": [],
                    },
                    "why": "Now route to sales: not reached: an earlier routing rule applies."
                    " Route to service is new.",
                }
            ],
        }
    ],
    "next": None,
}


def counts_as_json(backtest: Backtest, *, is_complete: bool) -> dict[str, Any]:
    counts = backtest.counts
    return {
        "total": counts.total,
        "would_change": counts.would_change,
        "cannot_be_told": counts.cannot_be_told,
        "sentence": sentence_of(counts, is_complete=is_complete),
        "by_kind": [
            {"kind": difference.kind, "rule_type": difference.rule_type, "calls": calls}
            for difference, calls in counts.by_kind.most_common()
        ],
        "is_complete": is_complete,
        "oldest": backtest.last and moment(backtest.last.created_at),
    }


def sentence_of(counts: Counts, *, is_complete: bool) -> str:
    return str(counts) if is_complete else f"{counts}; older calls were not compared"


def results_as_json(comparison: Comparison, backtest: Backtest) -> list[dict[str, Any]]:
    return [
        {
            "call_id": str(changed.call.id),
            "created_at": moment(changed.call.created_at),
            "result": result_of(changed.differences),
            "differences": [_difference(each) for each in explained(comparison, changed)],
        }
        for changed in backtest.changed
    ]


def _difference(difference: ExplainedDifference) -> dict[str, Any]:
    return {
        "kind": difference.kind,
        "rule_type": difference.rule_type,
        "before": _side(difference.before),
        "after": _side(difference.after),
        "why": difference.why,
    }


def _side(side: Side) -> Mapping[str, Any]:
    return {
        "sentence": side.sentence,
        "is_open": side.is_open,
        "winner": side.winner and str(side.winner),
        "pending": [
            {"id": str(rule.id), "waits_for": list(rule.waits_for)} for rule in side.pending
        ],
    }


def moment(at: Any) -> str:
    text: str = MomentField().to_representation(at)
    return text
