"""Conversation rules, filled in field by field and read as a sentence."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tenancy import all_tenants
from tenants.models import ConversationRule, PhoneNumber
from tenants.rule_fields import ENDS, EndsWidget
from tenants.rule_form import RuleForm, rule_document
from tenants.rules import TYPES, schema_of
from tests.admin_client import form_errors
from tests.factories import store_rule

RULES = "/admin/tenants/conversationrule/"
TRANSFER = {"transfer_to": "+14155550100", "after_seconds": 20}


def save(client: Client, line: PhoneNumber, **filled: Any) -> Any:
    form = {"phone": line.pk, "rule_type": "greeting", "priority": "1", "is_active": "on"}
    return client.post(f"{RULES}add/", form | filled)


def saved() -> ConversationRule:
    with all_tenants("test"):
        rule: ConversationRule = ConversationRule.objects.get()
    return rule


def make_rule(line: PhoneNumber, **columns: Any) -> ConversationRule:
    with all_tenants("test data"):
        rule: ConversationRule = ConversationRule.objects.create(phone=line, **columns)
    return rule


def fields_of(client: Client, rule: ConversationRule) -> dict[str, Any]:
    """What the browser sends when the rule's page is saved untouched."""
    response: Any = client.get(f"{RULES}{rule.pk}/change/")
    form = response.context_data["adminform"].form
    values: dict[str, Any] = {}
    for field in form:
        if isinstance(field.field.widget, EndsWidget):
            ends = zip(ENDS, field.field.widget.decompress(field.value()), strict=True)
            values |= {f"{field.name}_{end}": value for end, value in ends}
        else:
            values[field.name] = field.value()
    return {
        name: "on" if value is True and name == "is_active" else value
        for name, value in values.items()
        if value is not None
    }


def test_a_rule_is_made_of_its_fields(back_office: Client, line: PhoneNumber) -> None:
    response = save(
        back_office,
        line,
        rule_type="transfer",
        when_first_time_caller="False",
        when_urgency="high",
        when_keywords="fire, smoke\n flood \n",
        when_day_of_week=["1", "0"],
        when_date_from="2026-12-24",
        when_time_of_day_from="22:00",
        when_time_of_day_to="06:00",
        when_more='{"not": {"language": ["de"]}}',
        transfer_transfer_to="+14155550100",
        transfer_after_seconds="20",
        greeting_say="of another type, not looked at",
    )
    assert response.status_code == 302
    rule = saved()
    assert rule.conditions == {
        "first_time_caller": False,
        "urgency": "high",
        "keywords": ["fire, smoke", "flood"],
        "day_of_week": [1, 0],
        "date": {"from": "2026-12-24"},
        "time_of_day": {"from": "22:00", "to": "06:00"},
        "not": {"language": ["de"]},
    }
    assert rule.actions == TRANSFER


@pytest.mark.parametrize(
    ("filled", "says"),
    [
        ({"rule_type": "transfer"}, "Required for this type of rule."),
        ({"rule_type": "routing"}, "Fill in at least one action"),
        ({"greeting_say": "Hi", "when_caller_prefix": "0049"}, "does not match"),
        ({"greeting_say": "Hi", "when_more": '{"moon": "full"}'}, "moon"),
        ({"greeting_say": "Hi", "when_more": '{"any": []}'}, "non-empty"),
        ({"greeting_say": "Hi", "then_more": '{"sing": true}'}, "sing"),
        ({"greeting_say": "Hi", "when_urgency": "extreme"}, "Select a valid choice"),
        ({"greeting_say": "Hi", "when_date_to": "2026-02-30"}, "Enter a valid date"),
        ({"greeting_say": "Hi", "when_date_from": "2026-12-26", "when_date_to": "2026-12-24"},
         "Exchange the two dates"),
        ({"greeting_say": "Hi", "when_time_of_day_from": "09:00"}, "Enter both times, or none."),
        ({"greeting_say": "Hi", "when_time_of_day_from": "9", "when_time_of_day_to": "10:00"},
         "Enter a valid time"),
        ({"rule_type": "transfer", "transfer_transfer_to": "x", "transfer_after_seconds": "999"},
         "maximum"),
        ({"greeting_say": "Hi", "when_more": '{"any": [{"keywords": ["\\u0000"]}]}'},
         "PostgreSQL cannot store"),
    ],
)  # fmt: skip
def test_a_rule_that_the_schema_refuses_is_a_form_error(
    back_office: Client, line: PhoneNumber, filled: dict[str, Any], says: str
) -> None:
    response = save(back_office, line, **filled)
    assert says in form_errors(response)
    with all_tenants("test"):
        assert not ConversationRule.objects.exists()


def test_saving_a_rule_untouched_changes_nothing(back_office: Client, line: PhoneNumber) -> None:
    conditions = {
        "day_of_week": [0, 6],
        "any": [{"urgency": "low"}],
        "asks_for_person": False,
        "date": {"from": "2026-12-24", "to": "2026-12-26"},
        "time_of_day": {"from": "09:30", "to": "12:00"},
    }
    rule = make_rule(line, rule_type="transfer", conditions=conditions, actions=TRANSFER)
    sent = fields_of(back_office, rule)
    response = back_office.post(f"{RULES}{rule.pk}/change/", sent)
    assert response.status_code == 302
    assert (saved().conditions, saved().actions) == (conditions, TRANSFER)


def test_what_no_field_can_show_is_not_lost_but_asked_about(
    back_office: Client, line: PhoneNumber
) -> None:
    """Rows that are older than the schema, or that were written past the API."""
    rule = store_rule(line, conditions='{"urgency": 7, "old": 1}')
    response = back_office.post(f"{RULES}{rule.pk}/change/", fields_of(back_office, rule))
    assert "old" in form_errors(response)
    assert saved().conditions == {"urgency": 7, "old": 1}


def test_a_date_that_is_none_is_shown_as_json(back_office: Client, line: PhoneNumber) -> None:
    rule = store_rule(line, conditions='{"date": {"from": "2026-02-30"}}')
    fields = fields_of(back_office, rule)
    assert "2026-02-30" in str(fields["when_more"])


def test_a_submitted_rule_is_a_document_without_being_saved(line: PhoneNumber) -> None:
    rule = make_rule(line, rule_type="transfer", actions=TRANSFER, conditions={}, priority=3)
    typed = {"rule_type": "transfer", "priority": "7", "transfer_transfer_to": "+14155550100"}
    with all_tenants("test"):
        document = rule_document(typed | {"when_date_to": "2026-12-24"}, rule)
        assert document is not None
        assert document["id"] == str(rule.pk)
        assert document["conditions"] == {"date": {"to": "2026-12-24"}}
        assert (document["priority"], document["is_active"]) == (7, False)
        assert datetime.fromisoformat(document["created_at"]) == rule.created_at
        new = rule_document(typed, ConversationRule(phone=line))
        assert new is not None
        assert datetime.fromisoformat(new["created_at"]).tzinfo
        assert rule_document(typed | {"when_date_to": "x"}, rule) is None
    assert (rule.priority, saved().priority, saved().conditions) == (3, 3, {})


def test_a_field_stands_for_every_property_that_is_not_nested() -> None:
    fields = set(RuleForm().fields)
    for rule_type in TYPES:
        names = schema_of(rule_type)["properties"]["actions"]["properties"]
        assert {f"{rule_type}_{name}" for name in names} <= fields
    conditions = schema_of(TYPES[0])["$defs"]["conditions"]["properties"]
    assert {f"when_{name}" for name in conditions} - fields == {"when_any", "when_not"}


def test_the_preview_says_what_is_typed_and_saves_nothing(
    back_office: Client, line: PhoneNumber
) -> None:
    typed = {"rule_type": "greeting", "greeting_say": "<b>Hi", "when_sentiment": "negative"}
    response = back_office.post(f"{RULES}preview/", typed)
    assert response["Content-Type"].startswith("text/plain")
    assert response.content.decode() == "When the caller sounds negative: say “<b>Hi”."
    assert back_office.get(f"{RULES}preview/").status_code == 405
    with all_tenants("test"):
        assert not ConversationRule.objects.exists()


@pytest.mark.parametrize("typed", [{}, {"rule_type": "x"}, {"when_more": "{"}])
def test_the_preview_of_nonsense_is_a_sentence_too(
    back_office: Client, typed: dict[str, str]
) -> None:
    assert back_office.post(f"{RULES}preview/", typed).content == b"Always: nothing yet."


def test_the_preview_is_for_those_who_may_see_rules(support_agent: User, client: Client) -> None:
    client.force_login(support_agent)
    assert client.post(f"{RULES}preview/", {}).status_code == 403
