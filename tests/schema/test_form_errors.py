"""What the database refuses, the forms refuse first, in words an operator understands."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from calls.models import Call, CallMetadata
from tenants.models import (
    BusinessHours,
    ConversationRule,
    PhoneNumber,
    TransferPlace,
    VoiceSettings,
)
from tests.factories import make_call
from tests.schema.rawsql import ROWS, insert

pytestmark = pytest.mark.usefixtures("staff_scope")


MODELS: list[type[Any]] = [
    PhoneNumber,
    VoiceSettings,
    ConversationRule,
    BusinessHours,
    TransferPlace,
    Call,
    CallMetadata,
]
BAD_FORMS: list[tuple[type[Any], dict[str, Any], str]] = [
    (PhoneNumber, {"id": "a/b"}, "A line id can only have letters, digits and + _ : . -"),
    (PhoneNumber, {"number": "123"}, "Enter the number in E.164 format, such as +14155550123."),
    (
        PhoneNumber,
        {"timezone": "foo5"},
        "Choose an IANA time zone, such as Europe/Berlin or UTC.",
    ),
    (PhoneNumber, {"number": "+14155550101"}, "Another line already has this number."),
    (VoiceSettings, {"speech_speed": "4.01"}, "Speech speed must be from 0.25 to 4; 1 is normal."),
    (
        VoiceSettings,
        {"language": "english"},
        "Enter a language tag such as en-US, de or zh-Hant-TW.",
    ),
    (
        VoiceSettings,
        {"phone_id": "pn_garage"},
        "This line already has voice settings; edit those.",
    ),
    (
        ConversationRule,
        {"rule_type": "other"},
        "rule_type must be one of: greeting, routing, transfer, hours.",
    ),
    (ConversationRule, {"conditions": []}, "conditions must be a JSON object: {…}."),
    (ConversationRule, {"actions": "a"}, "actions must be a JSON object: {…}."),
    (BusinessHours, {"day_of_week": 7}, "day_of_week must be from 0 (Sunday) to 6 (Saturday)."),
    (
        BusinessHours,
        {"timezone": "europe/berlin"},
        "Choose an IANA time zone, such as Europe/Berlin or UTC.",
    ),
    (
        BusinessHours,
        {"phone_id": "pn_garage"},
        "This line already has hours for that day; edit those.",
    ),
    (
        TransferPlace,
        {"phone_id": "pn_garage", "name": "FRONT DESK"},
        "This line already has a transfer place of that name.",
    ),
    (TransferPlace, {"name": " "}, "Enter a name of at most 100 characters."),
    (
        TransferPlace,
        {"number": "123"},
        "Enter the number in E.164 format, such as +14155550123.",
    ),
    (Call, {"status": "busy"}, "status must be one of: ringing, answered, completed, failed."),
    (Call, {"duration": -1}, "Duration must be 0 seconds or more."),
    (Call, {"ai_confidence": "1.5"}, "Confidence must be from 0 to 1."),
    (Call, {"call_sid": "CA-known"}, "A call with this SID already exists."),
    (CallMetadata, {"metadata": []}, "metadata must be a JSON object: {…}."),
    (CallMetadata, {"custom_fields": 1}, "custom_fields must be a JSON object: {…}."),
]


@pytest.mark.parametrize(
    ("model", "values", "message"), BAD_FORMS, ids=[message for _, _, message in BAD_FORMS]
)
def test_form_says_what_is_wrong(
    line: PhoneNumber,
    other_line: PhoneNumber,
    model: type[Any],
    values: dict[str, Any],
    message: str,
) -> None:
    call = make_call(line, call_sid="CA-known")
    insert("transfer_places", **ROWS["transfer_places"] | {"phone_id": other_line.id})
    insert("voice_settings", phone_id=other_line.id)
    insert("business_hours", **ROWS["business_hours"] | {"phone_id": other_line.id})
    row = ROWS[model._meta.db_table]
    if model is CallMetadata:
        row = row | {"call": call}
    with pytest.raises(ValidationError) as caught:
        model(**row | values).validate_constraints()
    assert caught.value.messages == [message]
    with pytest.raises(ValidationError):
        model(**row | values).full_clean()


def test_good_rows_pass_the_forms(line: PhoneNumber) -> None:
    more: dict[type[Any], dict[str, Any]] = {
        CallMetadata: {"call": make_call(line)},
        ConversationRule: {"actions": {"say": "Hi"}},  # SQL takes a rule without
    }
    for model in MODELS:
        model(**ROWS[model._meta.db_table] | more.get(model, {})).full_clean()
