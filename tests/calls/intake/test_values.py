"""Values as they come, and as an attacker would send them: never a 5xx, never a lost call."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils.datastructures import MultiValueDict

from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import (
    FORM,
    RECORDING,
    RECORDING_URL,
    VOICE,
    new_sid,
    post,
    post_json,
    recording_event,
    sign,
    voice_event,
)


@pytest.mark.parametrize(
    ("caller", "kept"),
    [
        ("client:Ann", "client:Ann"),
        ("sip:ann@example.com;transport=tls", "sip:ann@example.com;transport=tls"),
        ("sim:HS0123", "sim:HS0123"),
        ("anonymous", "anonymous"),
        ("", "anonymous"),
        ("+1415555\x009999", "unknown"),
        ("+" + "1" * 300, "unknown"),
        ("evil\u202enumber", "evilnumber"),
        ("\u202a+1415\u200b5559999\u2069", "+14155559999"),
        ("+14155558888FromXevil", "unknown"),
        ("client:AnnFromXevil", "unknown"),
        ("two words", "unknown"),
        ("<script>alert(1)</script>", "unknown"),
    ],
)
def test_caller_is_kept_or_unknown(line: PhoneNumber, caller: str, kept: str) -> None:
    assert post(voice_event(new_sid(), "ringing", From=caller)).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().caller_number == kept
        event = CallEvent.objects.get()
    assert (event.reason is None) == (kept != "unknown")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("CallDuration", "SequenceNumber", "Timestamp", "RecordingUrl", "CallerName")
        for value in (
            "", "NaN", "Infinity", "-1", "1e9", "1.5", "9" * 15, "9" * 400, "\x00", "\ud7ff",
            "٣", "not a date", "Fri, 31 Feb 2026 25:61:61 +9999", "javascript:alert(1)",
            "Thu, 01 Jan 9999 00:00:00 +0000", "Thu, 01 Jan 0001 00:00:00 +0000", "x" * 5000,
            "Thu, 01 Jan 2026 00:00:00", "'; DROP TABLE calls; --", "https://" + "a" * 3000,
        )
    ],
)  # fmt: skip
def test_odd_values_do_no_harm(line: PhoneNumber, name: str, value: str) -> None:
    sid = new_sid()
    response = post(voice_event(sid, "completed", **{name: value}))
    with all_tenants("test"):
        event = CallEvent.objects.get()
        if response.status_code == 204:
            call = Call.objects.get(call_sid=sid)
            assert call.duration == 0
            assert call.recording_url is None or call.recording_url.startswith("https://")
        else:
            assert response.status_code == 400
            assert event.outcome == "malformed"
            assert event.reason
            assert not Call.objects.exists()


@pytest.mark.parametrize("name", ["CallSid", "CallStatus", "AccountSid", "Direction"])
@pytest.mark.parametrize("value", ["", "\x00", "é", "x" * 5000, "CA" + "G" * 32, "RINGING", "🙂"])
def test_a_malformed_name_of_the_call_is_kept_with_a_reason(
    line: PhoneNumber, name: str, value: str
) -> None:
    response = post(voice_event(new_sid(), "ringing") | {name: value})
    assert response.status_code == 400
    with tenant(line.id):
        event = CallEvent.objects.get()
        assert not Call.objects.exists()
    assert event.outcome == "malformed"
    assert event.reason == response.json()["detail"]


def test_json_may_hold_what_jsonb_may_not(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "ringing", CallerName="a\ud800b\x00c")
    assert post_json(event).status_code == 204
    with tenant(line.id):
        assert CallEvent.objects.get().payload["CallerName"] == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    "unused",
    [
        {"AddOns": json.dumps({"results": {"n": "x" * 5_000, "Timestamp": "Direction"}})},
        {"CallerName": "Timestamp"},
        {"CallerName": "ParentCallSid"},
        {"CallerName": "CallDuration 5, RecordingUrl"},
        {f"Parameter{n}": str(n) for n in range(300)},
        {"foo.bar": "1", "Ünknown": "é", "": "", "x" * 500: "1"},
        {"SipHeader_X-Call-Id": "\u202e", "StirPassportToken": "e" * 9_000},
    ],
)
def test_nothing_is_refused_for_a_parameter_that_is_not_used(
    line: PhoneNumber, unused: dict[str, str]
) -> None:
    event = voice_event(new_sid(), "completed", CallDuration="49") | unused
    assert post(event).status_code == 204
    with tenant(line.id):
        call = Call.objects.get()
        assert CallEvent.objects.get().payload == event
    assert (call.caller_number, call.duration) == ("+14155559999", 49)


@pytest.mark.parametrize("send", [post, post_json])
def test_sids_may_be_in_upper_case(line: PhoneNumber, send: Callable[..., Any]) -> None:
    sid, account = "CA" + "ABCDEF01" * 4, "AC" + "ABCDEF01" * 4
    assert send(voice_event(sid, "ringing", AccountSid=account)).status_code == 204
    url = RECORDING_URL.replace("a" * 32, "AB" * 16)
    early = recording_event(sid, "completed", AccountSid=account, RecordingUrl=url)
    assert send(early, path=RECORDING).status_code == 204
    with tenant(line.id):
        call = Call.objects.get()
    assert (call.call_sid, call.recording_url) == (sid, url)


@pytest.mark.parametrize(
    "query", ["?source=studio", "?a=1&a=2&b", "?CallSid=CA1&From=%2B14155550000", "?rc=5%20x"]
)
def test_the_address_may_have_a_query_string(line: PhoneNumber, query: str) -> None:
    for event, path in (
        (voice_event(new_sid(), "ringing"), VOICE),
        (recording_event(new_sid(), "completed"), RECORDING),
    ):
        assert post(event, path=f"{path}{query}").status_code == 204
        unsigned = Client().post(
            f"{path}{query}x",
            urlencode(event),
            content_type=FORM,
            headers={"X-Twilio-Signature": sign(f"{path}{query}", event)},
        )
        assert unsigned.status_code == 403
    with tenant(line.id):
        assert Call.objects.get().caller_number == "+14155559999"


def test_a_parameter_that_is_not_used_may_come_twice(line: PhoneNumber) -> None:
    event: MultiValueDict[str, str] = MultiValueDict()
    event.update(voice_event(new_sid(), "ringing"))
    event.setlist("Note", ["b", "a", "b"])
    sent = Client().post(
        VOICE,
        urlencode(list(event.lists()), doseq=True),
        content_type=FORM,
        headers={"X-Twilio-Signature": sign(VOICE, event)},
    )
    assert sent.status_code == 204


def test_json_may_hold_objects_that_are_not_used(line: PhoneNumber) -> None:
    event: dict[str, Any] = voice_event(new_sid(), "ringing")
    assert post_json(event | {"AddOns": {"results": [{"n": 1}]}, "n": [1]}).status_code == 204
    with tenant(line.id):
        assert CallEvent.objects.get().payload["AddOns"] == '{"results": [{"n": 1}]}'
    assert post_json(event | {"CallSid": {"a": 1}}).status_code == 400


def test_json_may_have_more_in_its_query_string(line: PhoneNumber) -> None:
    for path in (f"{VOICE}?source=studio&", f"{VOICE}?"):
        body = json.dumps(voice_event(new_sid(), "ringing"))
        url = f"{path}bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
        headers = {"X-Twilio-Signature": sign(url, {})}
        sent = Client().post(url, body, content_type="application/json", headers=headers)
        assert sent.status_code == 204
    with tenant(line.id):
        assert Call.objects.count() == 2


def test_unknown_status_and_parameters_are_kept(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "on-hold", SipHeader_X_Ours="1", StirVerstat="TN-Validation")
    assert post(event).status_code == 204
    with tenant(line.id):
        kept = CallEvent.objects.get()
        assert not Call.objects.exists()
    assert (kept.outcome, kept.payload) == ("unknown_status", event)


def test_event_of_no_line_is_for_staff_alone(line: PhoneNumber) -> None:
    for to in ("+14155550303", "sip:nobody@example.com", ""):
        assert post(voice_event(new_sid(), "ringing", To=to, From="client:x")).status_code == 204
    with tenant(line.id):
        assert not CallEvent.objects.exists()
    with all_tenants("test"):
        assert set(CallEvent.objects.values_list("outcome", "phone")) == {("unknown_line", None)}
        assert not Call.objects.exists()


def test_call_begins_when_its_first_event_happened(line: PhoneNumber) -> None:
    sid = new_sid()
    answered = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=90)
    ended = answered + timedelta(seconds=60)
    completed = voice_event(sid, "completed", CallDuration="60", Timestamp=format_datetime(ended))
    assert post(completed).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().created_at == answered
    rang = answered - timedelta(seconds=8)
    assert post(voice_event(sid, "ringing", Timestamp=format_datetime(rang))).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().created_at == rang
