"""What settings would have changed, before they are saved: counts, calls and conflicts."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from calls.models import Call
from decisions.admin import settings_preview
from decisions.stored_settings import settings_of
from tenancy import all_tenants, tenant
from tenants.hours_rows import rows_of
from tenants.models import BusinessHours, ConversationRule, PhoneNumber
from tests.admin_client import pick
from tests.factories import archive, make_call

NEW = "/admin/tenants/conversationrule/would-change/"
OF_RULE = "/admin/tenants/conversationrule/{}/would-change/"
OF_HOURS = "/admin/tenants/phonenumber/{}/hours/would-change/"
FORM = {
    "rule_type": "transfer",
    "priority": "1",
    "is_active": "on",
    "transfer_transfer_to": "+4930901820",
}


@pytest.fixture
def rule(line: PhoneNumber) -> ConversationRule:
    """Transfers who says manager."""
    with all_tenants("test data"):
        made: ConversationRule = ConversationRule.objects.create(
            phone=line,
            rule_type="transfer",
            conditions={"keywords": ["manager"]},
            actions={"transfer_to": "+4930901820"},
            priority=1,
        )
    return made


@pytest.fixture
def calls(line: PhoneNumber) -> list[Call]:
    """For the manager, for the owner, and one that nobody wrote down; the first is archived."""
    now = timezone.now()
    words = ("Caller: The manager, please.", "Caller: Is the owner there?", None)
    made = [
        make_call(line, transcript=text, created_at=now - timedelta(days=day))
        for day, text in enumerate(words, 1)
    ]
    make_call(line, transcript=words[0], created_at=now - timedelta(days=31))
    archive(made[0])
    return made


def previewed(client: Client, address: str, **form: Any) -> Any:
    response: Any = client.post(address, form, headers={"X-Requested-With": "fetch"})
    assert response.status_code == 200
    return response


def test_a_changed_rule_names_the_calls_it_would_have_changed(
    back_office: Client, rule: ConversationRule, calls: list[Call], line: PhoneNumber
) -> None:
    with tenant(line.pk):
        before = settings_of(line.pk)
    response = previewed(back_office, OF_RULE.format(rule.pk), **FORM, when_keywords="owner")
    preview = response.context_data["preview"]
    assert preview.summary == "2 of 3 calls would have been decided otherwise."
    assert preview.counts.cannot_be_told == 1
    assert dict(preview.kinds) == {
        "Transfer: a rule applies where none did": 1,
        "Transfer: no rule applies any more": 1,
        "Transfer: depends on what is not known": 1,
    }
    assert [each.call.id for each in preview.calls] == [call.pk for call in calls]
    assert preview.calls[0].link == f"/admin/calls/callarchive/{calls[0].pk}/change/"
    html = response.content.decode()
    assert "the caller says “owner” (no)" in html
    assert "<html" not in html
    with tenant(line.pk):
        assert settings_of(line.pk) == before


def test_a_new_rule_is_shown_with_its_conflicts(
    back_office: Client, rule: ConversationRule, calls: list[Call], line: PhoneNumber
) -> None:
    form = {**FORM, "phone": line.pk, "priority": "0", "when_keywords": "manager"}
    preview = previewed(back_office, NEW, **form).context_data["preview"]
    assert preview.summary == "None of 3 calls would have been decided otherwise."
    assert [conflict.code for conflict in preview.conflicts] == ["never_wins"]
    with all_tenants("test"):
        assert ConversationRule.objects.count() == 1


def test_a_form_with_mistakes_has_no_preview(back_office: Client, rule: ConversationRule) -> None:
    form = {**FORM, "transfer_transfer_to": ""}
    response = previewed(back_office, OF_RULE.format(rule.pk), **form)
    assert "preview" not in response.context_data
    assert "not complete yet" in response.content.decode()


def test_hours_are_previewed_as_they_are_filled_in(
    back_office: Client, line: PhoneNumber, calls: list[Call]
) -> None:
    with all_tenants("test data"):
        for day in range(7):
            BusinessHours.objects.create(
                phone=line, day_of_week=day, open_time="00:00", close_time="00:00", timezone="UTC"
            )
        version = rows_of(line).hours.version
    closed = {f"day-{day}-closed": "on" for day in range(7)}
    response = previewed(back_office, OF_HOURS.format(line.pk), version=version, **closed)
    preview = response.context_data["preview"]
    assert dict(preview.kinds) == {"The line: closed instead of open": 3}
    assert "is a closed day" in response.content.decode()
    with tenant(line.pk):
        assert not BusinessHours.objects.filter(is_closed=True).exists()


def test_only_the_newest_calls_are_looked_at(
    back_office: Client,
    rule: ConversationRule,
    calls: list[Call],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings_preview, "MAX_CALLS", 2)
    preview = previewed(back_office, OF_RULE.format(rule.pk), **FORM).context_data["preview"]
    assert (preview.counts.total, preview.is_cut) == (2, True)


def test_without_a_script_the_button_opens_a_page(
    back_office: Client, rule: ConversationRule
) -> None:
    page = back_office.get(f"/admin/tenants/conversationrule/{rule.pk}/change/").content.decode()
    assert f'formaction="{OF_RULE.format(rule.pk)}"' in page
    answer = back_office.post(OF_RULE.format(rule.pk), FORM).content.decode()
    assert "No calls came in the last 30 days." in answer
    assert "</html>" in answer


def test_previews_are_of_lines_and_people_that_may_see_them(
    support_agent: User,
    client: Client,
    rule: ConversationRule,
    line: PhoneNumber,
    other_line: PhoneNumber,
) -> None:
    client.force_login(support_agent)
    addresses = (OF_RULE.format(rule.pk), OF_HOURS.format(line.pk))
    support_agent.groups.add(Group.objects.get(name="Read-only analyst"))
    assert {client.post(address, FORM).status_code for address in addresses} == {403}
    page = client.get(f"/admin/tenants/conversationrule/{rule.pk}/change/").content.decode()
    assert "data-preview" not in page
    support_agent.groups.add(Group.objects.get(name="Support agent"))
    assert {client.post(address, FORM).status_code for address in addresses} == {200}
    pick(client, other_line)
    assert {client.post(address, FORM).status_code for address in addresses} == {404}
    assert client.post(NEW, {**FORM, "phone": line.pk}).status_code == 404
