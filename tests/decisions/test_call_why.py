"""Why, on a call's page: the stored decisions with the settings of that time, and again today."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from calls.archival.moving import archive_calls
from calls.models import Call
from decisions.answer import as_document
from decisions.decision import decide
from decisions.recording import record
from decisions.stored_settings import settings_of
from tenancy import all_tenants, tenant
from tenants.models import ConversationRule, PhoneNumber
from tests.admin_client import pick
from tests.factories import make_call, store_rule

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)
PAGE = "/admin/calls/{}/{}/change/"
AGAIN = "/admin/calls/{}/{}/decide-again/"


def add_rule(line: PhoneNumber, **conditions: Any) -> ConversationRule:
    with all_tenants("test data"):
        rule: ConversationRule = ConversationRule.objects.create(
            phone=line,
            rule_type="transfer",
            conditions=conditions,
            actions={"transfer_to": "+4930901820"},
        )
    return rule


def decide_for(call: Call, **facts: Any) -> None:
    """As the API does for the AI pipeline."""
    line = call.phone.pk
    with tenant(line):
        settings = settings_of(line)
        assert settings is not None
        answer = as_document(decide(settings.line_settings, at=AT, facts=facts))
        record(call_sid=call.call_sid, at=AT, facts=facts, settings=settings, answer=answer)


@pytest.fixture
def call(line: PhoneNumber) -> Call:
    """Decided twice: at first nobody knew whether the caller wanted a person."""
    add_rule(line, asks_for_person=True)
    call = make_call(line, created_at=AT, transcript="Caller: The manager, please.")
    decide_for(call, caller="+4930112233")
    decide_for(call, caller="+4930112233", asks_for_person=True)
    return call


def decided(client: Client, call: Any, model: str = "call") -> Any:
    response: Any = client.get(PAGE.format(model, call.pk))
    assert response.status_code == 200
    return response


def again(client: Client, call: Any, model: str = "call") -> Any:
    response: Any = client.get(AGAIN.format(model, call.pk))
    assert response.status_code == 200
    return response


def test_the_last_decision_comes_first_and_earlier_ones_with_what_was_known(
    back_office: Client, call: Call
) -> None:
    response = decided(back_office, call)
    last, first = response.context_data["decided"]
    assert last.explanation.of("transfer").winner.sentence == (
        "Transfer to +4930901820 because: the caller asks for a person (yes)."
    )
    [pending] = first.explanation.of("transfer").pending
    assert pending.waits_for == ("asks_for_person",)
    assert first.known == [("Caller", "+4930112233")]
    html = response.content.decode()
    assert html.index("<dt>Asks for a person</dt>") < html.index("Earlier, when less was known")


def test_the_reasons_are_those_of_the_settings_of_that_time(
    back_office: Client, call: Call, line: PhoneNumber
) -> None:
    with all_tenants("test data"):
        ConversationRule.objects.update(conditions={"urgency": "high"})
    [winner] = [decided(back_office, call).context_data["decided"][0].explanation.of("transfer")]
    assert winner.winner.clauses[0].text == "the caller asks for a person"
    shown = again(back_office, call).context_data["again"]
    assert shown["differences"] == ["Transfer: depends on what is not known"]
    assert [rule.waits_for for rule in shown["now"].of("transfer").pending] == [("urgency",)]
    assert shown["then"].explanation.of("transfer").winner is not None


def test_an_archived_call_has_them_too(back_office: Client, call: Call) -> None:
    with all_tenants("test data"):
        ConversationRule.objects.all().delete()
    archive_calls(cut_off=AT + timedelta(days=1), started_by="test")
    response = decided(back_office, call, "callarchive")
    assert len(response.context_data["decided"]) == 2
    differences = again(back_office, call, "callarchive").context_data["again"]["differences"]
    assert differences == ["Transfer: no rule applies any more"]


def test_a_call_without_decisions_is_decided_from_what_it_tells(
    back_office: Client, line: PhoneNumber
) -> None:
    add_rule(line, keywords=["manager"])
    call = make_call(line, created_at=AT, transcript="Caller: The manager, please.")
    assert "No decision is stored for this call" in decided(back_office, call).content.decode()
    shown = again(back_office, call).context_data["again"]
    assert shown["then"] is None
    assert "differences" not in shown
    assert shown["now"].of("transfer").winner is not None
    assert ("Words of the caller", "The manager, please.") in shown["known"]


def test_rules_that_nobody_can_read_do_not_break_the_page(
    back_office: Client, call: Call, line: PhoneNumber
) -> None:
    rule = store_rule(line, conditions='{"keywords": 5}')
    assert str(rule.pk) in again(back_office, call).content.decode()


def test_only_who_may_see_rules_and_hours_sees_why(
    support_agent: User, client: Client, call: Call, other_line: PhoneNumber
) -> None:
    client.force_login(support_agent)
    support_agent.user_permissions.add(Permission.objects.get(codename="view_call"))
    assert "decided" not in decided(client, call).context_data
    assert client.get(AGAIN.format("call", call.pk)).status_code == 403
    support_agent.groups.add(Group.objects.get(name="Read-only analyst"))
    assert len(decided(client, call).context_data["decided"]) == 2
    pick(client, other_line)
    assert client.get(AGAIN.format("call", call.pk)).status_code == 404
