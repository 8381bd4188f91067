"""Writes the demo's lines and how each of them answers."""

import random
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from demo.businesses import Business, closing_hour, first_closing, person_of, random_uuid
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    ConversationRule,
    PhoneNumber,
    RuleType,
    SpecialDay,
    SpecialDayInterval,
    TransferPlace,
    VoiceSettings,
)

_CLOSED = {
    "en": "We are closed at the moment. I can take a message or book a time for you.",
    "de": "Wir haben gerade geschlossen. Ich nehme gern eine Nachricht oder einen Termin auf.",
}
# Days after `until`: the label, and for how many hours it is open.
_SPECIAL_DAYS = {
    -9: ({"en": "Local holiday", "de": "Feiertag"}, 0),
    4: ({"en": "Staff training", "de": "Fortbildung"}, 3),
    8: ({"en": "Stocktaking", "de": "Inventur"}, 0),
}
_VOICES = ("Alloy", "Nova", "Echo", "Shimmer")


def save_lines(*, businesses: list[Business], since: datetime, rng: random.Random) -> None:
    """Write the lines, made a week before `since`, with their settings, rules and hours."""
    made = since - timedelta(days=7)
    PhoneNumber.objects.bulk_create(
        PhoneNumber(
            id=each.phone_id,
            number=each.number,
            display_name=f"{each.name}, {each.city.name}",
            business_name=each.name,
            timezone=each.city.timezone,
            created_at=made,
        )
        for each in businesses
    )
    VoiceSettings.objects.bulk_create(
        VoiceSettings(
            id=random_uuid(rng),
            phone_id=each.phone_id,
            voice_name=rng.choice(_VOICES),
            speech_speed=rng.choice([Decimal("0.95"), Decimal("1.00"), Decimal("1.10")]),
            language=each.city.language,
            greeting_message=each.greeting,
            updated_at=made,
        )
        for each in businesses
    )
    TransferPlace.objects.bulk_create(
        TransferPlace(
            id=random_uuid(rng),
            phone_id=each.phone_id,
            name=each.trade.place[each.city.speech],
            number=person_of(each.city),
            created_at=made,
        )
        for each in businesses
    )
    ConversationRule.objects.bulk_create(
        ConversationRule(
            id=random_uuid(rng),
            phone_id=each.phone_id,
            rule_type=rule_type,
            conditions=conditions,
            actions=actions,
            priority=priority,
            is_active=rng.random() < 0.95,
            created_at=made,
        )
        for each in businesses
        for rule_type, priority, conditions, actions in _rules(each)
    )
    BusinessHours.objects.bulk_create(
        BusinessHours(
            id=random_uuid(rng),
            phone_id=each.phone_id,
            day_of_week=(day + 1) % 7,  # ours begins the week on Sunday
            open_time=time(each.trade.opens),
            close_time=time(first_closing(each.trade, day) or each.trade.closes),
            timezone=each.city.timezone,
            is_closed=closing_hour(each.trade, day) is None,
        )
        for each in businesses
        for day in range(7)
    )
    BusinessHoursInterval.objects.bulk_create(
        BusinessHoursInterval(
            id=random_uuid(rng),
            phone_id=each.phone_id,
            day_of_week=(day + 1) % 7,
            open_time=time(each.trade.break_at + 1),
            close_time=time(closes),
        )
        for each in businesses
        for day in range(7)
        if (closes := closing_hour(each.trade, day)) and first_closing(each.trade, day) != closes
    )


def save_special_days(*, businesses: list[Business], until: datetime, rng: random.Random) -> None:
    """A closed day before `until` and one after it, and a short one in between."""
    for days, (labels, hours) in _SPECIAL_DAYS.items():
        made = SpecialDay.objects.bulk_create(
            SpecialDay(
                id=random_uuid(rng),
                phone_id=each.phone_id,
                date=until.date() + timedelta(days=days),
                label=labels[each.city.speech],
                is_closed=not hours,
            )
            for each in businesses
        )
        SpecialDayInterval.objects.bulk_create(
            SpecialDayInterval(
                id=random_uuid(rng),
                phone_id=each.phone_id,
                special_day=day,
                open_time=time(each.trade.opens),
                close_time=time(each.trade.opens + hours),
            )
            for each, day in zip(businesses, made, strict=True)
            if hours
        )


def _rules(business: Business) -> list[tuple[RuleType, int, dict[str, Any], dict[str, Any]]]:
    speech, trade = business.city.speech, business.trade
    rules: list[tuple[RuleType, int, dict[str, Any], dict[str, Any]]] = [
        (RuleType.GREETING, 10, {"first_time_caller": False}, {"say": business.greeting}),
        (
            RuleType.HOURS,
            30,
            {"outside_business_hours": True},
            {"say": _CLOSED[speech], "take_message": True, "offer_booking": True},
        ),
        (
            RuleType.ROUTING,
            20,
            {"intent": ["book", "reschedule", "new-customer"]},
            {"calendar": trade.name, "confirm_by": "sms"},
        ),
        (
            RuleType.TRANSFER,
            40,
            {"any": [{"sentiment": "negative"}, {"asks_for_person": True}]},
            {"transfer_to": trade.place[speech], "after_seconds": 20, "else": "take_message"},
        ),
    ]
    if trade.is_urgent:
        rules.append(
            (
                RuleType.ROUTING,
                50,
                {"urgency": "emergency", "outside_business_hours": True},
                {"page": "on-call", "repeat_minutes": 5},
            )
        )
    return rules
