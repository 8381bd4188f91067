"""The AI pipeline delivers what it knows of a call, in parts, repeatedly, before or after it."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from api.models import IdempotencyKey
from calls.models import Call, CallMetadata
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.calls.api.conftest import make_key, put
from tests.calls.intake.callbacks import (
    RECORDING,
    TOKEN,
    new_sid,
    post,
    recording_event,
    voice_event,
)
from tests.factories import archive, make_call, make_line
from tests.outages import until_taken

WHOLE: dict[str, Any] = {
    "transcript": "Caller: Do you have rye bread?\nAI: Yes.",
    "ai_summary": "ParsedRequest for rye bread.",
    "ai_confidence": 0.876,
    "recording_url": "https://recordings.example/1.mp3",
    "tags": ["bread", "question", "bread"],
    "metadata": {"intent": "question", "language": "en"},
    "custom_fields": {"order": None},
}


@pytest.fixture(autouse=True)
def account_token(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]


def test_delivery_to_a_known_call(line: PhoneNumber, key: str) -> None:
    call = make_call(line, status="answered", provider_status="in-progress")
    response = put(key, call.call_sid, WHOLE)
    assert response.status_code == 200
    assert response.json()["id"] == str(call.pk)
    with tenant(line.id):
        call = Call.objects.get()
        assert call.transcript == WHOLE["transcript"]
        assert call.ai_summary == WHOLE["ai_summary"]
        assert call.ai_confidence == Decimal("0.88")
        assert call.recording_url == WHOLE["recording_url"]
        assert (call.status, call.provider_status) == ("answered", "in-progress")
        noted = CallMetadata.objects.get()
    assert noted.tags == ["bread", "question"]
    assert (noted.metadata, noted.custom_fields) == (WHOLE["metadata"], {"order": None})


def test_delivery_before_the_telephony_events(line: PhoneNumber, key: str) -> None:
    sid = new_sid()
    assert put(key, sid, {"transcript": "Hello"}).status_code == 201
    assert put(key, sid, {"ai_summary": "Greeting"}).status_code == 200
    with tenant(line.id):
        assert Call.objects.get().status == "ringing"
    post(voice_event(sid, "completed", CallDuration="49"))
    with tenant(line.id):
        call = Call.objects.get()
    assert (call.status, call.duration, call.caller_number) == ("completed", 49, "+14155559999")
    assert (call.transcript, call.ai_summary) == ("Hello", "Greeting")


def test_deliveries_merge(line: PhoneNumber, key: str) -> None:
    sid = new_sid()
    put(key, sid, {"transcript": "Hello", "tags": ["a"], "metadata": {"a": [1, 2], "b": 1}})
    put(key, sid, {"ai_summary": "Hi", "tags": ["b"], "metadata": {"a": [1]}})
    with tenant(line.id):
        call, noted = Call.objects.get(), CallMetadata.objects.get()
    assert (call.transcript, call.ai_summary) == ("Hello", "Hi")
    assert (noted.tags, noted.metadata) == (["a", "b"], {"a": [1], "b": 1})


def test_the_same_delivery_twice_writes_once(line: PhoneNumber, key: str) -> None:
    sid = new_sid()
    first = put(key, sid, WHOLE).json()

    def versions() -> Any:
        with tenant(line.id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.ctid::text, m.ctid::text FROM calls AS c JOIN call_metadata AS m"
                " ON m.call_id = c.id"
            )
            return cursor.fetchall()

    before = versions()
    assert put(key, sid, WHOLE).json() == first
    assert versions() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"transcript": None},
        {"transcript": "a\x00b"},
        {"transcript": "x" * 1_000_001},
        {"ai_confidence": 1.01},
        {"ai_confidence": -0.1},
        {"ai_confidence": "much"},
        {"recording_url": "http://recordings.example/1.mp3"},
        {"recording_url": "javascript:alert(1)"},
        {"recording_url": "https://a b"},
        {"tags": "bread"},
        {"tags": ["x" * 101]},
        {"tags": ["x"] * 101},
        {"tags": ["a\x00"]},
        {"metadata": []},
        {"metadata": {"a": ["\x00"]}},
        {"metadata": {"a": "x" * 100_001}},
        {"status": "completed"},
        {"phone_id": "pn_garage"},
        {"duration": 5},
        [],
        "text",
        '{"ai_confidence": NaN}',
        '{"metadata": {"a": "\\ud800"}}',
        '{"\\ud800": 1}',
        "[" * 100_000,
        '{"metadata": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
        "{",
    ],
)
def test_what_cannot_be_stored_is_refused_with_a_reason(
    line: PhoneNumber, key: str, fields: Any
) -> None:
    response = put(key, new_sid(), fields)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 400
    assert problem["detail"]
    with tenant(line.id):
        assert not Call.objects.exists()


def test_field_errors_point_at_the_field(line: PhoneNumber, key: str) -> None:
    fields = {"ai_confidence": 2, "tags": ["", "ok"]}
    errors = put(key, new_sid(), fields).json()["errors"]
    assert {error["pointer"] for error in errors} == {"#/ai_confidence", "#/tags/0"}


def test_another_lines_call_is_not_known(
    line: PhoneNumber, other_line: PhoneNumber, key: str
) -> None:
    live, archived = make_call(other_line, transcript="theirs"), make_call(other_line)
    archive(archived)
    for call in (live, archived):
        response = put(key, call.call_sid, WHOLE)
        unknown = put(key, new_sid(), WHOLE)
        assert response.status_code == unknown.status_code == 201
        same = {"call_sid": "", "id": "", "created_at": "", "updated_at": ""}
        assert response.json() | same == unknown.json() | same
        assert response.json()["call_sid"] == call.call_sid
    with tenant(other_line.id):
        assert Call.objects.get().transcript == "theirs"
        assert not CallMetadata.objects.exists()
    with tenant(line.id):
        assert Call.objects.count() == 4


@pytest.mark.parametrize("claims_first", [True, False])
def test_a_claim_hides_no_call_of_the_provider(
    line: PhoneNumber, other_line: PhoneNumber, key: str, claims_first: bool
) -> None:
    sid = new_sid()
    if claims_first:
        claimed = put(key, sid, {"transcript": "ours"})
    theirs = voice_event(sid, "completed", To=other_line.number, CallDuration="9")
    post(recording_event(sid, "completed"), path=RECORDING)
    assert post(theirs).status_code == 204
    if not claims_first:
        claimed = put(key, sid, {"transcript": "ours"})
    assert claimed.status_code == 201
    assert put(key, sid, {"tags": ["a"]}).status_code == 200
    with tenant(other_line.id):
        call = Call.objects.get()
        assert (call.call_sid, call.duration, call.transcript) == (sid, 9, None)
        assert call.recording_url
    read = api_of(line).get(f"/calls/{claimed.json()['id']}/").json()
    assert (read["call_sid"], read["transcript"], read["recordings"]) == (sid, "ours", [])
    assert put(make_key(other_line), sid, {"transcript": "theirs"}).status_code == 200


def test_the_provider_confirms_a_claim(line: PhoneNumber, key: str) -> None:
    sid = new_sid()
    claimed = put(key, sid, {"transcript": "Hello"})
    post(voice_event(sid, "completed", CallDuration="49"))
    with tenant(line.id):
        call = Call.objects.get()
    assert (call.call_sid, str(call.pk)) == (sid, claimed.json()["id"])
    assert put(key, sid, {}).json()["id"] == claimed.json()["id"]


def test_results_of_a_leg_are_refused(line: PhoneNumber, key: str) -> None:
    call, leg = new_sid(), new_sid()
    post(voice_event(call, "in-progress"))
    post(voice_event(leg, "ringing", ParentCallSid=call, Direction="outbound-dial"))
    assert put(key, leg, {"transcript": "Hello"}).status_code == 409


def test_an_archived_call_is_not_changed(line: PhoneNumber, key: str) -> None:
    call = make_call(line)
    archive(call)
    assert put(key, call.call_sid, WHOLE).status_code == 409
    with tenant(line.id):
        assert not Call.objects.exists()


def test_idempotency_key_repeats_the_first_answer(line: PhoneNumber, key: str) -> None:
    sid = new_sid()
    first = put(key, sid, {"transcript": "one"}, **{"Idempotency-Key": "k1"})
    put(key, sid, {"transcript": "two"})
    again = put(key, sid, {"transcript": "one"}, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    with tenant(line.id):
        assert Call.objects.get().transcript == "two"
    other = put(key, sid, {"transcript": "three"}, **{"Idempotency-Key": "k1"})
    assert other.status_code == 422
    for bad in ("", "x" * 256, "a b"):
        assert put(key, sid, {}, **{"Idempotency-Key": bad}).status_code == 400


def test_idempotency_keys_of_lines_are_apart(
    line: PhoneNumber, other_line: PhoneNumber, key: str
) -> None:
    mine, theirs = new_sid(), new_sid()
    assert put(key, mine, {}, **{"Idempotency-Key": "k"}).status_code == 201
    other_key = make_key(other_line)
    assert put(other_key, theirs, {}, **{"Idempotency-Key": "k"}).status_code == 201


def test_a_refused_request_leaves_its_key_free(line: PhoneNumber, key: str) -> None:
    archived = make_call(line)
    archive(archived)
    assert put(key, archived.call_sid, {}, **{"Idempotency-Key": "k"}).status_code == 409
    with all_tenants("test"):
        assert not IdempotencyKey.objects.exists()


@pytest.mark.usefixtures("committed")
def test_deliveries_at_once_make_one_call() -> None:
    line = make_line()
    key = make_key(line)
    sid = new_sid()
    statuses: list[int] = []
    start = threading.Barrier(8)

    def deliver(n: int) -> None:
        start.wait()
        options = {"Idempotency-Key": "same"} if n < 4 else {}
        fields = {"tags": ["same"]} if n < 4 else {"tags": [f"tag{n}"]}
        statuses.append(until_taken(lambda: put(key, sid, fields, **options)))
        connection.close()

    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 201}
    with tenant(line.id):
        Call.objects.get()
        tags = CallMetadata.objects.get().tags
    assert sorted(tags) == ["same", "tag4", "tag5", "tag6", "tag7"]
