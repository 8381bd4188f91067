"""Numbers in metadata, custom fields and rules keep every digit, whichever way they come in."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from calls.models import Call, CallMetadata
from database import exact_json
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of
from tests.calls.call_files import (
    BAKERY,
    console_csv,
    import_text,
    new_sid,
    own_call,
    rejected,
)
from tests.factories import archive, make_call, store_rule
from tests.tenants.test_rule_form import RULES, fields_of

# As they are written, and as jsonb writes them.
CANARIES = (
    '{"a": 1.10, "b": 12345678901234567890.1, "c": 1e400,'
    ' "d": 0.1000000000000000055511151231257827, "e": [1e-7, 5]}'
)
STORED = CANARIES.replace("1e400", "1" + "0" * 400).replace("1e-7", "0.0000001")
COMPACT = STORED.replace(" ", "")


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line, "read", "write", "ingest")


def stored(call_id: Any, column: str = "metadata", table: str = "call_metadata") -> str:
    key = "call_id" if table == "call_metadata" else "id"
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}::text FROM {table} WHERE {key} = %s", [call_id])
        return str(cursor.fetchone()[0])


def store(call: Call, metadata: str) -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO call_metadata (call_id, phone_id, metadata, custom_fields)"
            " VALUES (%s, %s, %s, %s)",
            [call.pk, call.phone_id, metadata, metadata],
        )


@pytest.mark.parametrize("column", ["metadata", "custom_fields"])
def test_patch_and_read(api: Api, line: PhoneNumber, column: str) -> None:
    call = make_call(line)
    path = f"/calls/{call.pk}/metadata/"
    answer = api.patch(path, f'{{"{column}": {CANARIES}}}')
    assert stored(call.pk, column) == STORED
    assert f'"{column}":{COMPACT}' in answer.content.decode()
    assert f'"{column}":{COMPACT}' in api.get(path).content.decode()


def test_a_patch_of_another_key_keeps_them(api: Api, line: PhoneNumber) -> None:
    call = make_call(line)
    store(call, CANARIES)
    assert api.patch(f"/calls/{call.pk}/metadata/", {"metadata": {"z": 1}}).status_code == 200
    assert stored(call.pk) == STORED.replace("]}", '], "z": 1}')
    assert stored(call.pk, "custom_fields") == STORED


def test_archived_numbers_are_read(api: Api, line: PhoneNumber) -> None:
    call = make_call(line)
    store(call, CANARIES)
    archive(call)
    assert stored(call.pk, table="calls_archive") == STORED
    assert COMPACT in api.get(f"/calls/{call.pk}/metadata/").content.decode()


def test_delivery(api: Api, line: PhoneNumber) -> None:
    sid = new_sid()
    body = f'{{"metadata": {CANARIES}, "custom_fields": {CANARIES}}}'
    call_id = api.put(f"/calls/by-sid/{sid}/", body).json()["id"]
    api.put(f"/calls/by-sid/{sid}/", '{"metadata": {"z": 2.50}}')
    assert stored(call_id) == STORED.replace("]}", '], "z": 2.50}')
    assert stored(call_id, "custom_fields") == STORED


def test_search_by_a_number(api: Api, line: PhoneNumber) -> None:
    call = make_call(line)
    store(call, CANARIES)
    for wanted, found in (("0.1000000000000000055511151231257827", 1), ("0.1", 0)):
        page = api.get("/calls/", {"metadata": f'{{"d": {wanted}}}'}).json()
        assert len(page["results"]) == found


@pytest.mark.parametrize("form", ["json", "lines"])
def test_import(line: PhoneNumber, tmp_path: Path, form: str) -> None:
    sid = new_sid()
    row = (
        f'{{"number": "{BAKERY}", "caller_number": "+14155559999", "call_sid": "{sid}",'
        ' "status": "completed", "duration": 15, "created_at": "2026-03-03T20:36:29Z",'
        f' "metadata": {CANARIES}, "custom_fields": {CANARIES}}}'
    )
    import_text(tmp_path, f"[{row}]" if form == "json" else f"{row}\n{row}\n")
    with all_tenants("test"):
        call = Call.objects.get(call_sid=sid)
    assert stored(call.pk) == stored(call.pk, "custom_fields") == STORED


def test_the_admin_form(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line)
    store(call, CANARIES)
    url = f"/admin/calls/callmetadata/{call.pk}/change/"
    page: Any = back_office.get(url)
    form = page.context_data["adminform"].form
    values = {name: form[name].value() for name in ("metadata", "custom_fields")}
    assert all('"a": 1.10' in text and "1e" not in text.lower() for text in values.values())
    assert back_office.post(url, {**values, "tags": "vip"}).status_code == 302
    assert stored(call.pk) == stored(call.pk, "custom_fields") == STORED
    assert stored(call.pk, "tags") == "{vip}"
    back_office.post(url, {**values, "metadata": CANARIES.replace("1.10", "1.100"), "tags": ""})
    assert stored(call.pk) == STORED.replace("1.10", "1.100")


def test_a_rule_by_api_and_admin(back_office: Client, api: Api, line: PhoneNumber) -> None:
    rule = store_rule(line, conditions=CANARIES)
    read = "conditions", "conversation_rules"
    assert stored(rule.pk, *read) == STORED
    assert COMPACT in api.get(f"/conversation-rules/{rule.pk}/").content.decode()
    assert api.patch(f"/conversation-rules/{rule.pk}/", {"priority": 7}).status_code == 200
    assert stored(rule.pk, *read) == STORED
    sent = fields_of(back_office, rule) | {"priority": "8"}
    assert back_office.post(f"{RULES}{rule.pk}/change/", sent).status_code in (200, 302)
    assert stored(rule.pk, *read) == STORED


def test_a_replayed_answer(api: Api, line: PhoneNumber) -> None:
    rule = store_rule(line, conditions=CANARIES)
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "once"}}
    first = api.post("/conversation-rules/order/", {"rules": [str(rule.pk)]}, **sent)
    again = api.post("/conversation-rules/order/", {"rules": [str(rule.pk)]}, **sent)
    assert again["Idempotency-Replayed"] == "true"
    assert COMPACT in first.content.decode()
    assert COMPACT in again.content.decode()


def test_another_number_is_another_request(api: Api) -> None:
    path = f"/calls/by-sid/{new_sid()}/"
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "once"}}
    first, again, other = (
        api.put(path, f'{{"metadata": {{"a": {number}}}}}', **sent)
        for number in ("1.10", "1.10", "1.1")
    )
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)


@pytest.mark.parametrize(
    "number", ["1e1001", "1e-1001", "9" * 1001, "1e999999999", "1e" + "9" * 30, "0." + "1" * 1001]
)
def test_a_number_without_bound_is_refused(api: Api, line: PhoneNumber, number: str) -> None:
    call = make_call(line)
    answer = api.patch(f"/calls/{call.pk}/metadata/", f'{{"metadata": {{"a": {number}}}}}')
    assert answer.status_code == 400
    assert "a number has more than 1,000 digits" in answer.json()["detail"]


def test_what_jsonb_holds_is_read_whatever_its_length(api: Api, line: PhoneNumber) -> None:
    call = make_call(line)
    store(call, f'{{"a": {"7" * 9000}}}')
    assert f'"a":{"7" * 9000}' in api.get(f"/calls/{call.pk}/metadata/").content.decode()
    with all_tenants("test"):
        assert CallMetadata.objects.get(pk=call.pk).metadata == {"a": Decimal("7" * 9000)}


@pytest.mark.parametrize(
    "options", [{}, {"indent": 2}, {"sort_keys": True}, {"separators": (",", ":")}]
)
def test_all_but_numbers_is_written_as_json_does(options: dict[str, Any]) -> None:
    value = {"b": [1, {"x": [], "y": {}}, None], "a": 'é\u2028"\n', "c": True, "d": 0.1}
    for ascii_only in (True, False):
        expected = json.dumps(value, ensure_ascii=ascii_only, **options)
        assert exact_json.dumps(value, ensure_ascii=ascii_only, **options) == expected
        # Our own code writes the whole of what has a Decimal.
        expected = json.dumps({**value, "e": 7}, ensure_ascii=ascii_only, **options)
        exact = {**value, "e": Decimal(7)}
        assert exact_json.dumps(exact, ensure_ascii=ascii_only, **options) == expected


def test_import_of_our_own_csv(line: PhoneNumber, tmp_path: Path) -> None:
    row = own_call(duration="15") | {"metadata": CANARIES, "custom_fields": CANARIES}
    import_text(tmp_path, console_csv(row))
    with all_tenants("test"):
        call = Call.objects.get(call_sid=row["call_sid"])
    assert stored(call.pk) == stored(call.pk, "custom_fields") == STORED


@pytest.mark.parametrize("number", ["1e1001", "9" * 5000, "1e" + "9" * 30])
def test_an_import_rejects_the_call_of_a_number_without_bound(
    line: PhoneNumber, tmp_path: Path, number: str
) -> None:
    wrong, right = own_call(metadata={"a": {"b": 0}}), own_call()
    text = json.dumps([wrong, right]).replace('{"b": 0}', f'{{"b": {number}}}')
    assert "loaded 1" in import_text(tmp_path, text)
    [row] = rejected(tmp_path)
    assert "a number has more than 1,000 digits; shorten it" in str(row)
