"""A rule's conditions and actions have one check, whichever way a rule is written."""

import asyncio
import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.db.models import Value
from django.test import Client

from api.problems import handle
from tenancy import all_tenants, tenant
from tenants.models import ConversationRule, PhoneNumber
from tenants.rules import InvalidRule, rule_errors
from tests.admin_client import form_errors
from tests.api_client import api_of
from tests.factories import store_rule

GOOD = {"say": "Hello"}
RULES = "/admin/tenants/conversationrule/"

Writer = Callable[[PhoneNumber, dict[str, Any]], object]


def a_rule(line: PhoneNumber) -> ConversationRule:
    rule: ConversationRule = ConversationRule.objects.create(
        phone=line, rule_type="greeting", actions=GOOD
    )
    return rule


def save(line: PhoneNumber, parts: dict[str, Any]) -> None:
    rule = a_rule(line)
    for name, value in parts.items():
        setattr(rule, name, value)
    rule.save()


def save_fields(line: PhoneNumber, parts: dict[str, Any]) -> None:
    rule = a_rule(line)
    for name, value in parts.items():
        setattr(rule, name, value)
    rule.save(update_fields=list(parts))


def bulk_update(line: PhoneNumber, parts: dict[str, Any]) -> None:
    rule = a_rule(line)
    for name, value in parts.items():
        setattr(rule, name, value)
    ConversationRule.objects.bulk_update([rule], list(parts))


def update(line: PhoneNumber, parts: dict[str, Any]) -> None:
    a_rule(line)
    ConversationRule.objects.filter(rule_type="greeting").update(**parts)


def update_by_expression(line: PhoneNumber, parts: dict[str, Any]) -> None:
    a_rule(line)
    field: Any = ConversationRule._meta.get_field
    values = {name: Value(value, output_field=field(name)) for name, value in parts.items()}
    ConversationRule.objects.update(**values)


def load(line: PhoneNumber, parts: dict[str, Any], folder: Path, *, exists: bool) -> None:
    """As dumpdata writes it and loaddata reads it."""
    rule = a_rule(line)
    for name, value in parts.items():
        setattr(rule, name, value)
    fixture = folder / "rules.json"
    fixture.write_text(serializers.serialize("json", [rule]))
    if not exists:
        rule.delete()
    call_command("loaddata", str(fixture), verbosity=0)


WRITERS: dict[str, Writer] = {
    "save": save,
    "save of fields": save_fields,
    "create": lambda line, parts: ConversationRule.objects.create(phone=line, **parts),
    "create of a line": lambda line, parts: line.conversation_rules.create(**parts),
    "update_or_create": lambda line, parts: ConversationRule.objects.update_or_create(
        pk=a_rule(line).pk, defaults=parts
    ),
    "bulk_create": lambda line, parts: ConversationRule.objects.bulk_create(
        [ConversationRule(phone=line, **parts)]
    ),
    "bulk_create in place": lambda line, parts: ConversationRule.objects.bulk_create(
        [ConversationRule(pk=a_rule(line).pk, phone=line, **parts)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=list(parts),
    ),
    "bulk_update": bulk_update,
    "update": update,
    "update by expression": update_by_expression,
}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "actions: 'say' is a required property"),
    ({"actions": {"say": 5}}, "actions/say: 5 is not of type 'string'"),
    ({"actions": []}, "actions: [] is not of type 'object'"),
    ({"actions": GOOD | {"sing": 1}}, "'sing' was unexpected). Allowed: say, language."),
    ({"conditions": []}, "conditions: [] is not of type 'object'"),
    ({"conditions": {"moon": "full"}}, "'moon' was unexpected). Allowed: first_time_caller"),
    ({"conditions": {"any": [{"urgency": "so"}]}}, "conditions/any/0/urgency: 'so' is not one of"),
    ({"conditions": {"caller_prefix": ["0049"]}}, "does not match '^"),
    ({"conditions": {"caller_prefix": ["+49\n"]}}, "Write it like +4930."),
    ({"conditions": {"date": {}}}, "conditions/date: {} should be non-empty"),
    ({"conditions": {"date": {"from": "2026-02-29"}}}, "conditions/date/from"),
    ({"conditions": {"date": {"from": "24.12.2026"}}}, "Write it like 2026-12-24."),
    ({"conditions": {"date": {"on": "2026-02-28"}}}, "Allowed: from, to."),
    (
        {"conditions": {"not": {"any": [{"date": {"from": "2026-12-27", "to": "2026-12-24"}}]}}},
        "conditions/not/any/0/date: 'from' is after 'to'.",
    ),
    ({"conditions": {"time_of_day": {"from": "09:00"}}}, "'to' is a required property"),
    ({"conditions": {"time_of_day": {"from": "9:00", "to": "24:00"}}}, "Write it like 09:30."),
]


@pytest.mark.parametrize("writer", WRITERS)
def test_no_way_stores_what_the_check_refuses(line: PhoneNumber, writer: str) -> None:
    parts = {"rule_type": "greeting", "conditions": {"moon": 1}, "actions": GOOD}
    with tenant(line.pk):
        with pytest.raises(ValidationError, match="moon"), transaction.atomic():
            WRITERS[writer](line, parts)
        assert not ConversationRule.objects.exclude(conditions={}).exists()


@pytest.mark.parametrize("writer", WRITERS)
def test_every_way_stores_what_the_check_allows(line: PhoneNumber, writer: str) -> None:
    parts = {"rule_type": "hours", "conditions": {"urgency": "low"}, "actions": GOOD}
    with tenant(line.pk):
        WRITERS[writer](line, parts)
        rule = ConversationRule.objects.get()
    assert {name: getattr(rule, name) for name in parts} == parts


@pytest.mark.parametrize("exists", [False, True])
def test_a_fixture_is_checked(line: PhoneNumber, tmp_path: Path, exists: bool) -> None:
    with tenant(line.pk), pytest.raises(ValidationError, match="moon"):
        load(line, {"conditions": {"moon": 1}}, tmp_path, exists=exists)
    with tenant(line.pk):
        load(line, {"conditions": {"urgency": "low"}}, tmp_path, exists=exists)
        assert ConversationRule.objects.filter(conditions={"urgency": "low"}).count() == 1


def test_an_asynchronous_way_is_checked(line: PhoneNumber) -> None:
    rule = ConversationRule(phone=line, rule_type="greeting")

    async def add() -> None:
        await ConversationRule.objects.abulk_create([rule])

    with pytest.raises(InvalidRule):
        asyncio.run(add())


@pytest.mark.parametrize(("parts", "message"), REFUSED)
def test_what_is_refused_is_named_alike_everywhere(
    back_office: Client, line: PhoneNumber, parts: dict[str, Any], message: str
) -> None:
    rule = {"rule_type": "greeting", "actions": GOOD} | (parts or {"actions": {}})
    with tenant(line.pk), pytest.raises(ValidationError) as refused:
        ConversationRule.objects.create(phone=line, **rule)
    assert message in "\n".join(refused.value.messages)
    answer = api_of(line).post("/conversation-rules/", rule)
    assert answer.status_code == 400
    answered = [f"{each['pointer'][2:]}: {each['detail']}" for each in answer.json()["errors"]]
    assert answered == refused.value.messages or "Expected a JSON object" in answered[0]
    if isinstance(rule.get("conditions"), dict):
        sent = {"phone": line.pk, "rule_type": "greeting", "priority": "1", "greeting_say": "Hi"}
        sent["when_more"] = json.dumps(rule["conditions"])
        assert message in unescape(form_errors(back_office.post(f"{RULES}add/", sent)))
    with tenant(line.pk):
        assert not ConversationRule.objects.exists()


@pytest.mark.parametrize(
    "conditions",
    [
        {"date": {"from": "2026-12-24"}},
        {"date": {"to": "2026-12-26"}},
        {"date": {"from": "2026-12-24", "to": "2026-12-24"}},
        {"time_of_day": {"from": "22:00", "to": "06:00"}},
        {"not": {"time_of_day": {"from": "00:00", "to": "00:00"}}},
    ],
)
def test_dates_and_times_of_day(line: PhoneNumber, conditions: Any) -> None:
    rule = {"rule_type": "greeting", "conditions": conditions, "actions": GOOD}
    assert api_of(line).post("/conversation-rules/", rule).status_code == 201


def test_nesting_without_end_is_refused() -> None:
    conditions: dict[str, Any] = {}
    for _ in range(5_000):
        conditions = {"not": conditions}
    [(path, message)] = rule_errors("greeting", conditions=conditions, actions=GOOD)
    assert (path, message.split(".")[0]) == ("conditions", "is nested too deeply")


def test_what_the_check_does_not_read_changes_beside_it(line: PhoneNumber) -> None:
    """A rule that SQL wrote can be switched off."""
    rule = store_rule(line, conditions='{"moon": 1}')
    with all_tenants("test"):
        rule.is_active = False
        rule.save(update_fields=["is_active"])
        ConversationRule.objects.update(priority=3)
        rule.refresh_from_db()
        assert (rule.is_active, rule.priority) == (False, 3)
        with pytest.raises(ValidationError):
            rule.save()


def test_what_the_model_refuses_last_is_a_400() -> None:
    answer = handle(InvalidRule([("actions/say", "is wrong")]), {})
    assert answer is not None
    assert (answer.status_code, answer.data["errors"][0]["pointer"]) == (400, "#/actions")
