"""The page that tries a call on a line: the facts of its form, its answer, and what it refuses."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenancy import all_tenants
from tenants.models import BusinessHours, ConversationRule, PhoneNumber
from tests.admin_client import pick
from tests.factories import store_rule

PAGE = "/admin/tenants/phonenumber/{}/simulate/"
EMPTY = {"at": "2026-12-21T10:00"}


@pytest.fixture
def bakery(line: PhoneNumber) -> PhoneNumber:
    """Open on Mondays, in Berlin; who asks for a person or sounds negative is transferred."""
    with all_tenants("test data"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone="Europe/Berlin")
        BusinessHours.objects.create(
            phone=line,
            day_of_week=1,
            open_time="09:00",
            close_time="12:00",
            timezone="Europe/Berlin",
        )
        ConversationRule.objects.create(
            phone=line,
            rule_type="transfer",
            conditions={"any": [{"asks_for_person": True}, {"keywords": ["manager"]}]},
            actions={"transfer_to": "+4930901820"},
        )
        line.refresh_from_db()
    return line


def tried(client: Client, line: PhoneNumber, **given: str) -> Any:
    response: Any = client.post(PAGE.format(quote(line.pk)), EMPTY | given)
    assert response.status_code == 200
    return response


def transfer(response: Any) -> Any:
    return response.context_data["explanation"].types[2]


def test_what_is_left_empty_is_not_known(back_office: Client, bakery: PhoneNumber) -> None:
    response = tried(back_office, bakery)
    [rule] = transfer(response).pending
    assert rule.waits_for == ("asks_for_person", "said")
    html = response.content.decode()
    assert "Monday, 2026-12-21 10:00" in html  # on the clock of the line
    assert "Open, until 12:00" in html
    assert "waits for whether the caller asks for a person and what the caller says" in html


@pytest.mark.parametrize(
    ("given", "truth"),
    [
        ({"asks_for_person": "yes"}, "true"),
        ({"asks_for_person": "no", "words": "The MANAGER, please"}, "true"),
        ({"asks_for_person": "no", "words": "management"}, "false"),
        ({"asks_for_person": "no"}, "unknown"),
    ],
)
def test_the_facts_decide(
    back_office: Client, bakery: PhoneNumber, given: dict[str, str], truth: str
) -> None:
    decided = transfer(tried(back_office, bakery, **given))
    [rule] = {decided.winner, *decided.pending, *decided.others} - {None}
    assert rule.clauses[0].truth == truth


def test_the_caller_is_a_number_or_withheld(back_office: Client, bakery: PhoneNumber) -> None:
    form = tried(back_office, bakery, caller="030 901820").context_data["form"]
    assert form.errors == {"caller": ["This is not a number. Write one like +14155550123."]}
    form = tried(back_office, bakery, caller="+49 30 901820").context_data["form"]
    assert form.facts == {"caller": "+4930901820"}
    form = tried(back_office, bakery, is_withheld="on").context_data["form"]
    assert form.facts == {"caller": None}
    form = tried(back_office, bakery, is_withheld="on", caller="+4930901820").context_data["form"]
    assert list(form.errors) == ["caller"]


def test_a_call_that_is_tried_leaves_no_trace(back_office: Client, bakery: PhoneNumber) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        tried(back_office, bakery, words="my number is secret")
    assert not [each["sql"] for each in queries if "secret" in each["sql"]]
    # A shared address must not have the words: it answers with the empty form.
    page: Any = back_office.get(PAGE.format(bakery.pk), {"words": "my number is secret"})
    assert "my number is secret" not in page.content.decode()
    assert page.context_data["explanation"] is None


def test_rules_that_sql_has_written_are_named(back_office: Client, bakery: PhoneNumber) -> None:
    rule = store_rule(bakery, conditions='{"keywords": 5}')
    html = tried(back_office, bakery).content.decode()
    assert "cannot be read" in html
    assert f"/admin/tenants/conversationrule/{rule.pk}/change/" in html


def test_who_may_not_see_rules_may_not_try_them(
    support_agent: User, client: Client, bakery: PhoneNumber, other_line: PhoneNumber
) -> None:
    client.force_login(support_agent)
    support_agent.user_permissions.add(Permission.objects.get(codename="view_phonenumber"))
    assert client.get(PAGE.format(bakery.pk)).status_code == 403
    support_agent.groups.add(Group.objects.get(name="Read-only analyst"))
    assert client.get(PAGE.format(bakery.pk)).status_code == 200
    pick(client, other_line)
    assert client.get(PAGE.format(bakery.pk)).status_code == 404
