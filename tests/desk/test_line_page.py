"""A line's page: all that belongs to the line, nothing that belongs to another."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.models import QueuedBucket
from analytics.rollups import roll_up
from calls.intake.models import CallEvent
from tenancy import all_tenants
from tenants.memberships import Membership
from tenants.models import BusinessHours, ConversationRule, PhoneNumber
from tests.admin_client import listed, pick
from tests.factories import make_call, make_line
from tests.isolation.rows import MAKERS

PAGE = "/admin/tenants/phonenumber/{}/change/"


@pytest.fixture
def furnished(line: PhoneNumber, other_line: PhoneNumber) -> PhoneNumber:
    """Two lines with a row of every table each; the first is given back."""
    with all_tenants("test data"):
        for owner in (line, other_line):
            for model, make in MAKERS.items():
                if model is not QueuedBucket:  # the triggers' own rows are needed
                    make(owner)
            for kind in ("waiting", "applied"):
                CallEvent.objects.create(phone=owner, kind="voice", payload={}, outcome=kind)
            Membership.objects.create(phone=owner, subject=f"member of {owner.pk}")
        roll_up()
    return line


def page(client: Client, line: PhoneNumber) -> Any:
    response: Any = client.get(PAGE.format(quote(line.pk)))
    assert response.status_code == 200
    return response


@pytest.mark.parametrize("picked", [False, True])
def test_all_of_a_line_is_on_its_page(
    back_office: Client, furnished: PhoneNumber, other_line: PhoneNumber, picked: bool
) -> None:
    if picked:
        pick(back_office, furnished)
    response = page(back_office, furnished)
    shown = response.context_data["page"]
    assert {row["call"].phone_id for row in shown["calls"]} == {furnished.pk}
    assert [event.phone_id for event in shown["problems"]] == [furnished.pk]
    assert [key.phone_id for key in shown["api_keys"]] == [furnished.pk]
    assert f"member of {furnished.pk}" in {member.subject for member in shown["members"]}
    assert [rule.phone_id for rule, _ in shown["rules"]] == [furnished.pk]
    assert shown["hours"][0] == ("Monday", "09:00 to 17:00, 18:00 to 20:00")
    assert shown["hours"][-1] == ("Sunday", "Not set")
    assert sum(drawn.bar.value for drawn in shown["chart"].bars) == 1
    html = response.content.decode()
    for mark in (other_line.pk, other_line.business_name, other_line.number):
        assert mark not in html


def test_its_numbers_lead_to_its_rows(back_office: Client, furnished: PhoneNumber) -> None:
    shown = page(back_office, furnished).context_data["page"]
    assert shown["problem_count"].number == 1
    [bar] = [drawn.bar for drawn in shown["chart"].bars if drawn.bar.value]
    for link in (shown["problems_link"], shown["calls_link"], bar.link):
        [row] = listed(back_office, link).result_list
        assert row.phone_id == furnished.pk


def test_one_sees_the_parts_that_one_may_see(
    support_agent: User, client: Client, furnished: PhoneNumber
) -> None:
    client.force_login(support_agent)
    support_agent.user_permissions.add(Permission.objects.get(codename="view_phonenumber"))
    shown = page(client, furnished).context_data["page"]
    assert set(shown) == {"line", "local_time", "cards", "hours", "definitions", "former_numbers"}
    assert (shown["cards"], shown["hours"]) == ([], [])


def test_a_line_without_anything_has_a_page(back_office: Client, line: PhoneNumber) -> None:
    html = page(back_office, line).content.decode()
    assert "0 open inbox problems" in html
    assert "None yet." in html


def test_hours_on_another_clock_than_the_lines_name_it(
    back_office: Client, line: PhoneNumber
) -> None:
    with all_tenants("test data"):
        for day, zone in ((1, "UTC"), (2, "Asia/Tokyo")):
            BusinessHours.objects.create(
                phone=line, day_of_week=day, open_time="09:00", close_time="17:00", timezone=zone
            )
    hours = page(back_office, line).context_data["page"]["hours"]
    assert hours[:2] == [("Monday", "09:00 to 17:00"), ("Tuesday", "09:00 to 17:00 Asia/Tokyo")]


def test_text_of_callers_and_of_the_business_is_escaped(back_office: Client) -> None:
    nasty = "<script>alert(1)</script>"
    line = make_line(business_name=nasty, display_name=nasty)
    make_call(line, caller_number=nasty, ai_summary=nasty)
    with all_tenants("test"):
        Membership.objects.create(phone=line, subject=nasty)
    html = page(back_office, line).content.decode()
    assert nasty not in html
    assert html.count("&lt;script&gt;") >= 4


def test_a_line_stands_beside_the_average_of_all(committed: None, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    line, other = make_line(), make_line()
    make_call(line)
    for _ in range(3):
        make_call(other, status="failed")
    with connections["owner"].cursor() as cursor:
        cursor.execute("REFRESH MATERIALIZED VIEW mv.phone_performance_summary")
    cards = page(client, line).context_data["page"]["cards"]
    assert [card.value for card in cards[:3]] == ["1", "1", "100.0%"]
    assert cards[0].note == "average of all lines: 2"
    assert cards[2].note == "average of all lines: 50.0"
    pick(client, line)
    cards = page(client, line).context_data["page"]["cards"]
    assert cards[0].note == "last 30 days"


def test_its_queries_do_not_grow_with_its_rows(back_office: Client, line: PhoneNumber) -> None:
    page(back_office, line)  # what Django keeps for the process from the first page on
    counts = []
    for _ in range(2):
        for day in range(2):
            make_call(line)
            with all_tenants("test"):
                ConversationRule.objects.create(
                    phone=line, rule_type="hours", actions={"say": "Closed"}
                )
                CallEvent.objects.create(phone=line, kind="voice", payload={}, outcome="waiting")
                BusinessHours.objects.get_or_create(
                    phone=line,
                    day_of_week=day,
                    defaults={"open_time": "09:00", "close_time": "17:00"},
                )
        with CaptureQueriesContext(connection) as queries:
            page(back_office, line)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_hours_are_shown_as_a_state_and_a_strip(
    back_office: Client, furnished: PhoneNumber
) -> None:
    opening = page(back_office, furnished).context_data["page"]["opening"]
    assert opening["now"].is_open in (True, False)
    assert len(opening["days"]) == 14
    # The one call came just now.
    assert sum(gap.calls for gap, _ in opening["gaps"]) == (not opening["now"].is_open)


def test_a_line_without_hours_has_no_strip(back_office: Client, line: PhoneNumber) -> None:
    response = page(back_office, line)
    assert "gaps" not in response.context_data["page"]["opening"]
    html = response.content.decode()
    assert "Hours are not set" in html
    assert "The next 14 days" not in html
