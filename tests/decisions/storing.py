"""Settings in the form of vectors.jsonl as rows of a line."""

import uuid
from collections.abc import Mapping
from typing import Any

from tenancy import tenant
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    ConversationRule,
    PhoneNumber,
    SpecialDay,
    SpecialDayInterval,
)

ACTIONS: dict[str, dict[str, Any]] = {
    "greeting": {"say": "Hello"},
    "routing": {"department": "front desk"},
    "transfer": {"transfer_to": "+14155550123"},
    "hours": {"say": "We are closed."},
}


def store_settings(line: PhoneNumber, document: Mapping[str, Any]) -> None:
    """Rules get actions of their type. The ids must not be in use."""
    with tenant(line.pk):
        PhoneNumber.objects.update(timezone=document["timezone"])
        for row in document["business_hours"]:
            BusinessHours.objects.create(phone=line, **row)
        for row in document["business_hours_intervals"]:
            BusinessHoursInterval.objects.create(phone=line, **row)
        for row in document["special_days"]:
            own = {name: value for name, value in row.items() if name != "intervals"}
            day = SpecialDay.objects.create(phone=line, **own)
            for interval in row["intervals"]:
                SpecialDayInterval.objects.create(
                    id=uuid.uuid4(), phone=line, special_day=day, **interval
                )
        for row in document["conversation_rules"]:
            actions = ACTIONS[row["rule_type"]]
            ConversationRule.objects.create(phone=line, actions=actions, **row)
            ConversationRule.objects.filter(pk=row["id"]).update(created_at=row["created_at"])
