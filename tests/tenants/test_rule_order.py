"""The rules of a line are put in order on one page."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.test import Client

from tenancy import all_tenants
from tenants.models import ConversationRule, PhoneNumber
from tests.admin_client import pick


def page(line: PhoneNumber) -> str:
    return f"/admin/tenants/phonenumber/{quote(line.pk)}/rules/"


def rules_of(line: PhoneNumber) -> list[tuple[Any, int]]:
    """What each says and its priority, in order."""
    with all_tenants("test"):
        rules = ConversationRule.objects.filter(phone=line)
        ordered = rules.order_by("-priority", "created_at", "id")
        return [(rule.actions["say"], rule.priority) for rule in ordered]


@pytest.fixture
def rules(line: PhoneNumber, other_line: PhoneNumber) -> dict[str, str]:
    """The ids of four rules, and of one of another line, by what they say."""
    ids = {}
    with all_tenants("test data"):
        for owner, names in ((line, "abcd"), (other_line, "x")):
            for number, name in enumerate(names):
                rule = ConversationRule.objects.create(
                    phone=owner, rule_type="greeting", actions={"say": name}, priority=-number
                )
                ids[name] = str(rule.pk)
    return ids


def save(client: Client, line: PhoneNumber, rules: dict[str, str], **places: Any) -> Any:
    """Post the page as it lists a, b, c and d, with these numbers."""
    data = {
        "rule": [rules[name] for name in "abcd"],
        "position": [places.get(name, number) for number, name in enumerate("abcd", start=1)],
    }
    return client.post(page(line), data, follow=True)


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ({}, "abcd"),
        ({"d": 1}, "dabc"),
        ({"a": 3}, "bcad"),
        ({"c": 2}, "acbd"),
        ({"a": 9}, "bcda"),
        ({"a": 4, "b": 3, "c": 2, "d": 1}, "dcba"),
    ],
)
def test_a_rule_takes_the_place_of_its_number(
    back_office: Client,
    line: PhoneNumber,
    rules: dict[str, str],
    places: dict[str, int],
    order: str,
) -> None:
    response = save(back_office, line, rules, **places)
    assert "Order of the rules saved." in response.content.decode()
    assert rules_of(line) == list(zip(order, (4, 3, 2, 1), strict=True))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"position": ["1", "x"]}, "number the rules"),
        ({"position": ["1"]}, "number the rules"),
        ({"rule": ["1", "2"]}, "number the rules"),
        ({}, "added or deleted"),
    ],
)
def test_an_order_of_other_than_all_rules_changes_nothing(
    back_office: Client, line: PhoneNumber, rules: dict[str, str], data: Any, message: str
) -> None:
    before = rules_of(line)
    some = {"rule": [rules["b"], rules["a"]], "position": ["1", "2"]}
    response = back_office.post(page(line), some | data, follow=True)
    assert message in response.content.decode()
    assert rules_of(line) == before


def test_a_rule_of_another_line_is_not_among_them(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber, rules: dict[str, str]
) -> None:
    assert rules["x"] not in back_office.get(page(line)).content.decode()
    response = save(back_office, line, rules | {"a": rules["x"]})
    assert "added or deleted" in response.content.decode()
    pick(back_office, other_line)
    assert back_office.get(page(line)).status_code == 404
    assert back_office.post(page(line)).status_code == 404
    assert rules_of(other_line) == [("x", 0)]


@pytest.mark.parametrize(
    ("role", "may_change"), [("Support agent", True), ("Read-only analyst", False)]
)
def test_support_agents_change_what_analysts_read(
    client: Client,
    support_agent: User,
    line: PhoneNumber,
    rules: dict[str, str],
    role: str,
    may_change: bool,
) -> None:
    support_agent.groups.set([Group.objects.get(name=role)])
    client.force_login(support_agent)
    html = client.get(page(line)).content.decode()
    assert "Always: say “b”." in html
    assert ('name="position"' in html) is may_change
    assert save(client, line, rules, d=1).status_code == (200 if may_change else 403)
    assert rules_of(line)[0][0] == ("d" if may_change else "a")
