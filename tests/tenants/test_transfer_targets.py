"""What a rule transfers to: a number other than the line's own, or a place that the line named."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.test import Client
from pytest_django import Settings

from tenancy import all_tenants, tenant
from tenants.models import ConversationRule, PhoneNumber, TransferPlace
from tenants.transfer_places import OWN_NUMBER
from tests.admin_client import form_errors
from tests.api_client import Api, api_of
from tests.factories import make_line
from tests.schema.rawsql import fetch, refusal

RULES = "/admin/tenants/conversationrule/"
PLACES = "/admin/tenants/transferplace/"
TARGET = "conversation_rules_transfer_target"
IN_USE = "Change or delete those rules first."

# The line's number, what is written, what is stored.
READ = [
    ("+493012345678", "0151 23456789", "+4915123456789"),
    ("+493012345678", "+49 (151) 2345-6789", "+4915123456789"),
    ("+493012345678", "0049 151 23456789", "+4915123456789"),
    ("+493012345678", "tel:+4915123456789", "+4915123456789"),
    ("+493012345678", "\uff10\uff11\uff15\uff11 23456789", "+4915123456789"),
    ("+493012345678", "\u202a+4915123456789\u202c", "+4915123456789"),
    ("+493012345678", "+1 415 555 0123", "+14155550123"),
    ("+14155550101", "(415) 555-0123", "+14155550123"),
    ("+442079460100", "020 7946 0123", "+442079460123"),
    ("+525512345678", "+521 55 8765 4321", "+525587654321"),
    ("+14155550101", "1 415 555 0123", "+14155550123"),
    ("+14155550101", "011 49 151 23456789", "+4915123456789"),
    ("+390612345678", "06 8765 4321", "+390687654321"),
    ("+5511912345678", "(11) 98765-4321", "+5511987654321"),
    ("+5511912345678", "011 98765-4321", "+5511987654321"),
    ("+541123456789", "011 15-8765-4321", "+5491187654321"),
    ("+80012345678", "(415) 555-0123", "+14155550123"),  # of no country: HOME_REGION's form
]
REFUSED = [
    *("0151 2345 banana", "1-800-FLOWERS", "+49 151 23456789 x12", "front desk", "Front  dsk"),
    *("112", "0151", "+49", "23456789", "+4915123456789012345", "+999123456789", "+1415555"),
    *("1.41556E+10", "=+14155550123", "<script>", "client:agent", "+49151 23456789, 2"),
]
OWN = ["+493012345678", "030 12345678", "0049 30 12345678", "+49 (30) 1234-5678"]


def transfer(target: Any, **columns: Any) -> dict[str, Any]:
    return {"rule_type": "transfer", "actions": {"transfer_to": target}} | columns


def target() -> str:
    with all_tenants("test"):
        return str(ConversationRule.objects.get().actions["transfer_to"])


def no_rule() -> bool:
    with all_tenants("test"):
        return not ConversationRule.objects.exists()


def by_admin(client: Client, line: PhoneNumber, text: str) -> Any:
    sent = {"phone": line.pk, "rule_type": "transfer", "priority": "1"}
    return client.post(f"{RULES}add/", sent | {"transfer_transfer_to": text})


@pytest.fixture
def berlin(db: None) -> PhoneNumber:
    return make_line(id="pn_berlin", number="+493012345678")


@pytest.fixture
def desk(berlin: PhoneNumber) -> TransferPlace:
    with tenant(berlin.pk):
        place: TransferPlace = TransferPlace.objects.create(
            name="Front desk", number="+4915123456789"
        )
    return place


@pytest.fixture
def used(desk: TransferPlace) -> TransferPlace:
    """A place that a rule names which is switched off."""
    with tenant(desk.phone.pk):
        ConversationRule.objects.create(**transfer("front desk"), is_active=False)
    return desk


@pytest.mark.parametrize(("own", "text", "stored"), READ)
def test_a_number_in_any_notation_is_stored_in_one(
    back_office: Client, settings: Settings, own: str, text: str, stored: str
) -> None:
    settings.HOME_REGION = "US"
    line = make_line(number=own)
    answer = api_of(line).post("/conversation-rules/", transfer(text))
    assert answer.json()["actions"] == {"transfer_to": stored}
    assert target() == stored
    with tenant(line.pk):
        ConversationRule.objects.all().delete()
    assert by_admin(back_office, line, text).status_code == 302
    assert target() == stored
    with tenant(line.pk):
        ConversationRule.objects.all().delete()
        ConversationRule.objects.bulk_create([ConversationRule(phone=line, **transfer(text))])
        place = TransferPlace.objects.create(name="Desk", number=text)
        assert (target(), place.number) == (stored, stored)
        ConversationRule.objects.update(actions=transfer("+12125550123")["actions"])
        ConversationRule.objects.update(actions=transfer(text)["actions"])
    assert target() == stored


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_number_and_no_place_is_refused(
    back_office: Client, berlin: PhoneNumber, text: str
) -> None:
    with tenant(berlin.pk), pytest.raises(ValidationError, match="not a telephone number"):
        ConversationRule.objects.create(**transfer(text))
    [error] = api_of(berlin).post("/conversation-rules/", transfer(text)).json()["errors"]
    assert error["pointer"] == "#/actions/transfer_to"
    assert "Write one like +14155550123" in error["detail"]
    assert "none yet" in error["detail"]
    assert "is not a telephone number" in form_errors(by_admin(back_office, berlin, text))
    assert no_rule()
    with tenant(berlin.pk), pytest.raises(ValidationError, match="not a telephone number"):
        TransferPlace.objects.create(name="Desk", number=text)


@pytest.mark.parametrize("text", OWN)
def test_the_lines_own_number_is_refused(
    back_office: Client, berlin: PhoneNumber, text: str
) -> None:
    with tenant(berlin.pk), pytest.raises(ValidationError, match="own number"):
        ConversationRule.objects.create(**transfer(text))
    [error] = api_of(berlin).post("/conversation-rules/", transfer(text)).json()["errors"]
    assert error == {"pointer": "#/actions/transfer_to", "detail": OWN_NUMBER}
    assert "own number" in form_errors(by_admin(back_office, berlin, text))
    place = {"name": "Desk", "number": text}
    [error] = api_of(berlin).post("/transfer-places/", place).json()["errors"]
    assert error == {"pointer": "#/number", "detail": OWN_NUMBER}
    answer = back_office.post(f"{PLACES}add/", place | {"phone": berlin.pk})
    assert "own number" in form_errors(answer)
    assert no_rule()


def test_a_number_that_became_the_lines_own_is_refused_from_then_on(berlin: PhoneNumber) -> None:
    api = api_of(berlin)
    path = api.post("/conversation-rules/", transfer("+4915123456789"))["Location"]
    path = path.removeprefix("/api/v1")
    with all_tenants("test"):
        PhoneNumber.objects.update(number="+4915123456789")
    assert api.patch(path, {"is_active": False}).status_code == 200
    changed = api.patch(path, {"conditions": {"urgency": "high"}})
    assert changed.json()["errors"][0]["detail"] == OWN_NUMBER


@pytest.mark.parametrize("text", ["Front desk", "front DESK", "  Front   desk "])
def test_a_place_is_stored_as_the_line_spells_it(
    back_office: Client, desk: TransferPlace, text: str
) -> None:
    answer = api_of(desk.phone).post("/conversation-rules/", transfer(text))
    assert answer.json()["actions"] == {"transfer_to": "Front desk"}
    with tenant(desk.phone.pk):
        ConversationRule.objects.all().delete()
    assert by_admin(back_office, desk.phone, text).status_code == 302
    assert target() == "Front desk"


def test_a_name_that_is_unknown_is_answered_with_those_that_are(desk: TransferPlace) -> None:
    answer = api_of(desk.phone).post("/conversation-rules/", transfer("Front dsk"))
    assert "transfer places (Front desk)" in answer.json()["errors"][0]["detail"]


def test_a_place_of_another_line_is_none(desk: TransferPlace, line: PhoneNumber) -> None:
    answer = api_of(line).post("/conversation-rules/", transfer("Front desk"))
    assert answer.status_code == 400
    assert "none yet" in answer.json()["errors"][0]["detail"]
    with all_tenants("test"), pytest.raises(ValidationError, match="not a telephone number"):
        ConversationRule.objects.create(phone=line, **transfer("Front desk"))


INSERT = "INSERT INTO conversation_rules (phone_id, rule_type, actions) VALUES (%s, %s, %s)"


@pytest.mark.parametrize(
    "actions",
    [
        *('{"transfer_to": "0151 23456789"}', '{"transfer_to": "+493012345678"}'),
        *('{"transfer_to": "banana"}', '{"transfer_to": "front desk"}', '{"transfer_to": 5}'),
        '{"transfer_to": ["+14155550123"]}',
    ],
)
def test_sql_stores_no_wrong_target(desk: TransferPlace, actions: str) -> None:
    for scope in (tenant(desk.phone.pk), all_tenants("test")):
        with scope:
            assert refusal(INSERT, desk.phone_id, "transfer", actions) == TARGET
    with tenant(desk.phone.pk):
        fetch(INSERT, desk.phone_id, "transfer", '{"transfer_to": "Front desk"}')
        fetch(INSERT, desk.phone_id, "transfer", '{"transfer_to": "+14155550123"}')
        change = "UPDATE conversation_rules SET actions = %s"
        assert refusal(change, actions) == TARGET


@pytest.mark.parametrize(
    ("own", "other_form"),
    [("+525512345678", "+5215512345678"), ("+5511987654321", "+551187654321")],
)
@pytest.mark.django_db
def test_sql_takes_the_lines_own_number_in_neither_form(own: str, other_form: str) -> None:
    line = make_line(id="pn_own", number=own)
    insert = "INSERT INTO transfer_places (phone_id, name, number) VALUES (%s, 'Desk', %s)"
    with tenant(line.pk):
        for number in (own, other_form):
            actions = json.dumps({"transfer_to": number})
            assert refusal(INSERT, line.pk, "transfer", actions) == TARGET
            assert refusal(insert, line.pk, number) == "transfer_places_number_is_not_own"


def test_a_place_in_use_stays_and_keeps_its_name(back_office: Client, used: TransferPlace) -> None:
    api, path = api_of(used.phone), f"/transfer-places/{used.pk}/"
    for answer in (
        api.delete(path),
        api.patch(path, {"name": "Reception"}),
        api.put(path, {"name": "FRONT DESK", "number": "+14155550123"}),
    ):
        assert answer.status_code == 409
        assert IN_USE in answer.json()["detail"]
    page = f"{PLACES}{used.pk}/"
    answer = back_office.post(f"{page}change/", {"name": "Reception", "number": used.number})
    assert IN_USE in form_errors(answer)
    answer = back_office.post(f"{page}delete/", {"post": "yes"}, follow=True)
    assert IN_USE in answer.content.decode()
    chosen = {"action": "delete_selected", "_selected_action": used.pk, "post": "yes"}
    assert IN_USE in back_office.post(PLACES, chosen, follow=True).content.decode()
    with tenant(used.phone.pk):
        for change in ("DELETE FROM transfer_places", "UPDATE transfer_places SET name = 'X'"):
            assert refusal(change) == "transfer_places_used_by_rules"
        used.refresh_from_db()
    assert used.name == "Front desk"


def test_a_place_in_use_may_get_another_number(used: TransferPlace) -> None:
    api, path = api_of(used.phone), f"/transfer-places/{used.pk}/"
    assert api.patch(path, {"number": "030 7654321"}).json()["number"] == "+49307654321"


def test_a_place_is_free_once_no_rule_of_its_line_names_it(
    used: TransferPlace, line: PhoneNumber
) -> None:
    with all_tenants("test"):
        TransferPlace.objects.create(phone=line, name="Front desk", number="+14155550123")
        ConversationRule.objects.create(phone=line, **transfer("Front desk"))
        ConversationRule.objects.filter(phone=used.phone_id).update(
            rule_type="hours", actions={"say": "Front desk"}
        )
    api, path = api_of(used.phone), f"/transfer-places/{used.pk}/"
    assert api.patch(path, {"name": "Reception"}).status_code == 200
    assert api.delete(path).status_code == 204


def test_a_place_goes_with_its_line(back_office: Client, used: TransferPlace) -> None:
    line = used.phone
    sent = {"post": "yes", "number": line.number}
    back_office.post(f"/admin/tenants/phonenumber/{line.pk}/delete/", sent)
    with all_tenants("test"):
        assert not PhoneNumber.objects.exists()
        assert not TransferPlace.objects.exists()


def test_a_place_cannot_go_while_a_rule_that_names_it_is_written(committed: None) -> None:
    line = make_line(id="pn_berlin", number="+493012345678")
    with tenant(line.pk):
        TransferPlace.objects.create(name="Front desk", number="+4915123456789")

    def delete() -> None:
        try:
            with tenant(line.pk), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
                TransferPlace.objects.all().delete()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as another, tenant(line.pk):
        with transaction.atomic():
            ConversationRule.objects.create(**transfer("Front desk"))
            with pytest.raises(OperationalError, match="lock timeout"):
                another.submit(delete).result()
        with pytest.raises(IntegrityError, match="by its name"):
            another.submit(delete).result()


@pytest.fixture
def api(berlin: PhoneNumber) -> Api:
    return api_of(berlin)


def test_places_over_the_api(api: Api) -> None:
    made = api.post("/transfer-places/", {"name": " Front  desk ", "number": "0151 23456789"})
    assert made.status_code == 201
    body = made.json()
    assert (body["name"], body["number"]) == ("Front desk", "+4915123456789")
    path = made["Location"].removeprefix("/api/v1")
    assert api.get(path).json() == body
    api.post("/transfer-places/", {"name": "Bakery", "number": "+14155550123"})
    listed = api.get("/transfer-places/").json()["results"]
    assert [place["name"] for place in listed] == ["Bakery", "Front desk"]
    lost = api.patch(path, {"name": "X"}, headers={"If-Match": '"another"'})
    assert lost.status_code == 412
    twice = api.post("/transfer-places/", {"name": "FRONT desk", "number": "+14155550123"})
    assert (twice.status_code, "of that name" in twice.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ({"name": "+14155550123", "number": "+14155550123"}, "#/name"),
        ({"name": "0151 23456789", "number": "+14155550123"}, "#/name"),
        ({"name": " ", "number": "+14155550123"}, "#/name"),
        ({"name": "x" * 101, "number": "+14155550123"}, "#/name"),
        ({"name": "Desk"}, "#/number"),
        ({"name": "Desk", "number": 14155550123}, "#/number"),
    ],
)
def test_wrong_place_is_pointed_at(api: Api, place: dict[str, Any], pointer: str) -> None:
    answer = api.post("/transfer-places/", place)
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_places_on_the_page_of_their_line(back_office: Client, used: TransferPlace) -> None:
    url = f"/admin/tenants/phonenumber/{used.phone_id}/change/"
    sent = {"number": used.phone.number, "business_name": "Berlin", "timezone": "UTC"}
    for prefix in ("voice_settings", "business_hours", "conversation_rules"):
        sent |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    sent |= {"transfer_places-TOTAL_FORMS": "2", "transfer_places-INITIAL_FORMS": "1"}
    sent |= {"transfer_places-0-id": str(used.pk), "transfer_places-0-number": used.number}
    sent |= {"transfer_places-1-name": "Office", "transfer_places-1-number": "030 7654321"}
    kept = sent | {"transfer_places-0-name": "Front desk"}
    assert IN_USE in form_errors(back_office.post(url, sent | {"transfer_places-0-name": "X"}))
    assert IN_USE in form_errors(back_office.post(url, kept | {"transfer_places-0-DELETE": "on"}))
    assert back_office.post(url, kept).status_code == 302
    with all_tenants("test"):
        assert TransferPlace.objects.get(name="Office").number == "+49307654321"
    page = back_office.get("/admin/tenants/phonenumber/add/").content.decode()
    assert "transfer_places" not in page
