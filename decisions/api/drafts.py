"""Drafts of a line's rules and hours: rows as they would be stored, and checked as such."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.errors import Invalid
from api.serializer_fields import MomentField, ObjectField
from decisions.decision import RULE_TYPES
from tenants.api.serializers import (
    BusinessHoursIntervalSerializer,
    BusinessHoursSerializer,
    ConversationRuleSerializer,
    SpecialDaySerializer,
)
from tenants.business_hours import OVERLAP
from tenants.opening_hours import Interval, overlapping

Document = Mapping[str, Any]

# New rules are tried after stored ones of the same priority, in the order of the draft.
NOT_MADE_YET = "9999-12-31T00:00:00+00:00"
SCHEMAS = "#/components/schemas"
ID_HELP = (
    "Of a stored row that the draft keeps or changes; without it the row is new. In the answer the"
    " id of a new row is its number in the list, such as 00000000-0000-0000-0000-000000000001."
)


class DraftRow(serializers.Serializer[Any]):
    """Of a list in a draft. The context has the stored rows of each table by id."""

    table: ClassVar[str]

    def stored(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """A row may be sent as it was read, with its read-only fields."""
        row: dict[str, Any] = self.context[self.table].get(data.get("id"), {})
        return row

    def validate_id(self, value: UUID) -> UUID:
        if str(value) not in self.context[self.table]:
            raise serializers.ValidationError(
                "The line has no such row. Leave id out for a new one."
            )
        return value


@extend_schema_field({"$ref": f"{SCHEMAS}/RuleConditions"})
class ConditionsField(ObjectField):
    pass


@extend_schema_field(
    {"anyOf": [{"$ref": f"{SCHEMAS}/{rule_type.title()}Actions"} for rule_type in RULE_TYPES]}
)
class ActionsField(ObjectField):
    pass


class DraftRuleSerializer(DraftRow, ConversationRuleSerializer):
    table = "conversation_rules"

    id = serializers.UUIDField(required=False, help_text=ID_HELP)
    conditions = ConditionsField(default=dict)
    actions = ActionsField()
    created_at = MomentField(read_only=True)

    class Meta(ConversationRuleSerializer.Meta):
        read_only_fields = ["phone_id"]


class DraftHoursSerializer(DraftRow, BusinessHoursSerializer):
    table = "business_hours"

    id = serializers.UUIDField(required=False, help_text=ID_HELP)

    class Meta(BusinessHoursSerializer.Meta):
        read_only_fields = ["phone_id"]


class DraftIntervalSerializer(DraftRow, BusinessHoursIntervalSerializer):
    table = "business_hours_intervals"

    id = serializers.UUIDField(required=False, help_text=ID_HELP)

    class Meta(BusinessHoursIntervalSerializer.Meta):
        read_only_fields = ["phone_id"]


class DraftSpecialDaySerializer(DraftRow, SpecialDaySerializer):
    table = "special_days"

    id = serializers.UUIDField(required=False, help_text=ID_HELP)

    class Meta(SpecialDaySerializer.Meta):
        read_only_fields = ["phone_id"]


_TABLES = ("conversation_rules", "business_hours", "business_hours_intervals", "special_days")


def stored_rows(document: Document, line: str) -> dict[str, dict[str, Any]]:
    """The context of drafts: rows as the API shows them."""
    return {
        table: {row["id"]: row | {"phone_id": line} for row in document[table]}
        for table in _TABLES
    }


def with_rules(document: Document, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document with a draft of all rules. Raises Invalid."""
    refuse_repeated(rules, "rules", "id")
    made = {row["id"]: row["created_at"] for row in document["conversation_rules"]}
    rows = [row | {"created_at": made.get(row["id"], NOT_MADE_YET)} for row in _with_ids(rules)]
    return {**document, "conversation_rules": rows}


def with_hours(document: Document, tables: Mapping[str, Any]) -> dict[str, Any]:
    """The document with drafts of tables of hours; one without a draft stays. Raises Invalid."""
    uniques = {
        "business_hours": ("id", "day_of_week"),
        "business_hours_intervals": ("id",),
        "special_days": ("id", "date"),
    }
    drafts = {name: tables[name] for name in uniques if name in tables}
    for name, rows in drafts.items():
        for unique in uniques[name]:
            refuse_repeated(rows, name, unique)
    draft = {**document, **{name: _with_ids(rows) for name, rows in drafts.items()}}
    _refuse_overlaps(draft, drafts)
    return draft


def _with_ids(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_as_json({"id": UUID(int=number), **row}) for number, row in enumerate(rows, start=1)]


def _as_json(value: Any) -> Any:
    """Ids, dates and times as stored documents have them; all else as it is."""
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date | time) else value


def refuse_repeated(rows: Sequence[Mapping[str, Any]], table: str, name: str) -> None:
    seen: set[Any] = set()
    for number, row in enumerate(rows):
        if row.get(name) in seen:
            detail = f"Another row of the list has the same {name}."
            raise Invalid([{"pointer": f"#/{table}/{number}/{name}", "detail": detail}])
        if name in row:
            seen.add(row[name])


def _refuse_overlaps(draft: Document, given: Mapping[str, Any]) -> None:
    """As the triggers of the tables do."""
    for number, row in enumerate(draft["business_hours_intervals"]):
        if row["open_time"] == row["close_time"]:
            detail = "An interval ends at another time than it begins."
            pointer = f"#/business_hours_intervals/{number}/close_time"
            raise Invalid([{"pointer": pointer, "detail": detail}])
    for day in range(7):
        rows = [
            row
            for row in (*draft["business_hours"], *draft["business_hours_intervals"])
            if row["day_of_week"] == day
            and not row.get("is_closed")
            and row.get("timezone", draft["timezone"]) == draft["timezone"]
        ]
        if _overlap(rows):
            table = [name for name in given if name != "special_days"][-1]
            raise Invalid([{"pointer": f"#/{table}", "detail": OVERLAP}])
    for number, row in enumerate(draft["special_days"]):
        if _overlap(row["intervals"]):
            pointer = f"#/special_days/{number}/intervals"
            raise Invalid([{"pointer": pointer, "detail": OVERLAP}])


def _overlap(rows: Iterable[Mapping[str, Any]]) -> bool:
    return overlapping(
        Interval(*(time.fromisoformat(row[end]) for end in ("open_time", "close_time")))
        for row in rows
    )
