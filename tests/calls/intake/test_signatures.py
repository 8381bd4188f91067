"""Nothing is kept of a request that the provider did not sign as it stands."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from calls.intake.webhooks.callback import is_valid
from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.credentials import TelephonyCredential
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import (
    ACCOUNT,
    FORM,
    RECORDING,
    TOKEN,
    VOICE,
    new_sid,
    post,
    post_json,
    recording_event,
    sign,
    voice_event,
)

NEXT_TOKEN = "abcdefabcdefabcdefabcdefabcdefab"


def nothing_was_kept() -> bool:
    with all_tenants("test"):
        return not Call.objects.exists() and not CallEvent.objects.exists()


def send(body: Any, *, path: str = VOICE, content_type: str = FORM, **headers: str) -> Any:
    return Client().post(path, body, content_type=content_type, headers=headers)


# The vectors of twilio-python's and twilio-ruby's own tests.
VECTOR_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
VECTOR = {
    "From": "+14158675309",
    "To": "+18005551212",
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
}


@pytest.mark.parametrize(
    ("url", "parameters", "signature"),
    [
        (VECTOR_URL, VECTOR, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (VECTOR_URL.replace(".com/", ".com:443/"), VECTOR, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256="
            "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
            '{"property": "value", "boolean": true}',
            "a9nBmqA0ju/hNViExpshrM61xv4=",
        ),
    ],
)
def test_public_vectors_are_valid(url: str, parameters: Any, signature: str) -> None:
    assert is_valid(url, parameters, signature, ["12345"])
    assert is_valid(url, parameters, signature, ["54321", "12345"])
    assert not is_valid(url, parameters, signature, ["54321"])
    assert not is_valid(url.replace("foo=1", "foo=2"), parameters, signature, ["12345"])


@pytest.mark.parametrize("signature", [None, "", "wrong", "é", "\u00ff" * 28, "=" * 5000])
@pytest.mark.parametrize("path", [VOICE, RECORDING])
def test_wrong_signature_leaves_nothing(
    line: PhoneNumber, signature: str | None, path: str
) -> None:
    headers = {} if signature is None else {"X-Twilio-Signature": signature}
    for event in (voice_event(new_sid(), "ringing"), recording_event(new_sid(), "completed")):
        assert send(urlencode(event), path=path, **headers).status_code == 403
    assert nothing_was_kept()


def test_answer_tells_no_line_from_none(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "ringing")
    known = post(event, token=NEXT_TOKEN)
    unknown = post(event | {"To": "+14155550303"}, token=NEXT_TOKEN)
    assert known.status_code == unknown.status_code == 403
    assert known.content == unknown.content


def test_json_without_a_body_hash_is_refused(line: PhoneNumber) -> None:
    body = json.dumps(voice_event(new_sid(), "ringing"))
    signed = {"X-Twilio-Signature": sign(VOICE, {})}
    assert send(body, content_type="application/json", **signed).status_code == 403
    # An empty form has the same signature as the URL alone.
    assert send(body, content_type="text/plain", **signed).status_code == 403
    assert send(body, content_type="multipart/form-data", **signed).status_code == 403
    assert nothing_was_kept()


def test_json_with_another_body_is_refused(line: PhoneNumber) -> None:
    hashed = hashlib.sha256(b"{}").hexdigest()
    path = f"{VOICE}?bodySHA256={hashed}"
    body = json.dumps(voice_event(new_sid(), "ringing"))
    signed = {"X-Twilio-Signature": sign(path, {})}
    assert send(body, path=path, content_type="application/json", **signed).status_code == 403
    assert nothing_was_kept()


def test_json_with_its_hash_is_applied(line: PhoneNumber) -> None:
    sid = new_sid()
    assert post_json(voice_event(sid, "ringing")).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().call_sid == sid


def test_numbers_of_json_are_kept_as_they_were_written(line: PhoneNumber) -> None:
    event = json.dumps(voice_event(new_sid(), "ringing"))[:-1]
    assert (
        post_json(
            f'{event}, "a": 1.10, "b": {{"n": 1.20}}, "d": 1e400, "c": {"1" * 5000}}}'
        ).status_code
        == 204
    )
    with tenant(line.id):
        payload = CallEvent.objects.get().payload
    assert [payload[name] for name in "abdc"] == ["1.10", '{"n": 1.20}', "1e400", "1" * 5000]


@pytest.mark.parametrize(
    "body",
    [
        '{"CallSid": NaN}',
        '{"CallSid": "a", "CallSid": "b"}',
        "[]",
        '"text"',
        "{",
        "[" * 50_000,
    ],
)
def test_json_of_another_shape_is_refused(line: PhoneNumber, body: str) -> None:
    assert 400 <= post_json(body).status_code < 500
    assert nothing_was_kept()


def test_form_with_a_body_hash_is_refused(line: PhoneNumber) -> None:
    """JSON's signature covers its address alone, as does that of an empty form."""
    event = voice_event(new_sid(), "ringing")
    assert post(event, path=f"{VOICE}?bodySHA256={'0' * 64}").status_code == 403
    body = json.dumps(event)
    hashed = hashlib.sha256(body.encode()).hexdigest()
    for query in (f"bodySHA256={hashed}&bodySHA256={'0' * 64}", f"xbodySHA256={hashed}"):
        signed = {"X-Twilio-Signature": sign(f"{VOICE}?{query}", {})}
        path = f"{VOICE}?{query}"
        assert send(body, path=path, content_type="application/json", **signed).status_code == 403
    assert nothing_was_kept()


def test_a_parameter_cannot_be_moved_into_the_query_string(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "ringing")
    account = event.pop("AccountSid")
    assert post(event, path=f"{VOICE}?a=1AccountSid{account}").status_code == 403
    assert nothing_was_kept()
    sid = event.pop("CallSid")
    assert post(event | {"AccountSid": account}, path=f"{VOICE}?CallSid={sid}").status_code == 400
    with all_tenants("test"):
        assert not Call.objects.exists()


def test_repeated_parameters_are_refused(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "ringing")
    signed = {"X-Twilio-Signature": sign(VOICE, event)}
    for repeated in (event["CallSid"], new_sid()):
        body = urlencode([*event.items(), ("CallSid", repeated)])
        assert send(body, **signed).status_code == 400
    assert nothing_was_kept()


@pytest.mark.parametrize(
    "change",
    [
        {"CallSid": None, "CallStatus": None, "CallSi": "d{sid}CallStatusringing"},
        {"CallSid": "{sid}CallStatusringing", "CallStatus": None},
        {"CallStatus": "ring", "CallStatusi": "ng"},
        {"Direction": None, "Directioni": "nbound"},
        {"FromZip": "94107ParentCallSid{sid}"},
        {"ParentCall": "Sid{sid}"},
        {"To": None, "StirVerstat": "To+14155550101"},
        {"From": None, "ForwardedFrom": "+1From+14155559999"},
    ],
)
def test_moved_parameters_change_no_call(line: PhoneNumber, change: dict[str, str | None]) -> None:
    """Re-partitioned names and values: the signature is right, since it knows no delimiters."""
    sid = new_sid()
    filled = {name: value and value.format(sid=sid) for name, value in change.items()}
    event = voice_event(sid, "ringing") | filled
    sent = {name: value for name, value in event.items() if value is not None}
    response = post(sent)
    if change.get("CallStatus") == "ring":
        assert response.status_code == 204  # an unknown status, kept and not applied
    else:
        assert response.status_code == 400
    with all_tenants("test"):
        assert not Call.objects.exists()
        assert CallEvent.objects.get().outcome in {"malformed", "unknown_status"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"CallDuration4": "9"}, "CallDuration is missing, or part of another parameter"),
        ({"Call": "Duration49"}, "CallDuration is missing, or part of another parameter"),
        ({"CallerCity": "AUSTINCallDuration49"}, "CallDuration is missing, or part of another"),
        ({"From": "client:BobFromCityAUSTIN"}, "From goes on with another parameter"),
        ({"From": "+14155559999FromXevil"}, "From goes on with another parameter"),
        ({"From": "+14155559999FromCityAUSTIN"}, "From goes on with another parameter"),
        (
            {"RecordingUrl": "https://api.twilio.com/RE1RecordingUrlXevil"},
            "RecordingUrl is not a URL",
        ),
    ],
)
def test_a_moved_parameter_that_is_no_name_of_the_call_costs_its_own_value(
    line: PhoneNumber, change: dict[str, str], reason: str
) -> None:
    assert post(voice_event(new_sid(), "ringing") | change).status_code == 204
    with tenant(line.id):
        call, event = Call.objects.get(), CallEvent.objects.get()
    assert reason in event.reason
    assert (call.duration, call.recording_url) == (0, None)
    assert call.caller_number == ("unknown" if "From" in change else "+14155559999")


def test_the_line_of_an_unreadable_number_is_not_that_of_the_caller(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    sent = voice_event(new_sid(), "ringing", To="+1666To+14155550101", From=other_line.number)
    assert post(sent).status_code == 204
    with all_tenants("test"):
        assert CallEvent.objects.get().outcome == "unknown_line"
        assert not Call.objects.exists()


def test_unknown_algorithm_is_refused(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "ringing")
    signature = {"X-Twilio-Signature": sign(VOICE, event)}
    settings = "X-Twilio-Webhooks-Signature-Settings"
    refused = send(urlencode(event), **signature, **{settings: "key=k,algorithm=HMAC_MD5"})
    assert refused.status_code == 403
    refused = send(urlencode(event), **signature, **{settings: "key=k,algorithm=HMAC_SHA256"})
    assert refused.status_code == 403
    assert nothing_was_kept()


def test_shared_key_signature_is_accepted(line: PhoneNumber, settings: Settings) -> None:
    event = voice_event(new_sid(), "ringing")
    signature = RequestValidator(TOKEN).compute_signature(
        settings.PUBLIC_URL + VOICE, event, "HMAC_SHA256"
    )
    accepted = send(
        urlencode(event),
        **{
            "X-Twilio-Signature": signature,
            "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256",
        },
    )
    assert accepted.status_code == 204


def test_clients_do_not_choose_the_url(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "ringing")
    evil = RequestValidator(TOKEN).compute_signature(f"https://evil.example{VOICE}", event)
    response = send(
        urlencode(event),
        **{
            "X-Twilio-Signature": evil,
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Port": "99999",
        },
    )
    assert response.status_code == 403
    assert nothing_was_kept()


@pytest.mark.parametrize(
    "body", [b"CallSid=%ff%fe", b"\xff\xfe", b"&".join(b"a%d=1" % n for n in range(2000))]
)
def test_unreadable_forms_are_refused(line: PhoneNumber, body: bytes) -> None:
    assert send(body, **{"X-Twilio-Signature": "x" * 28}).status_code == 400
    assert nothing_was_kept()


def test_large_bodies_are_refused(line: PhoneNumber) -> None:
    for size in (200_000, 3_000_000):
        event = voice_event(new_sid(), "ringing", CallerName="x" * size)
        assert post(event).status_code == 413
    assert nothing_was_kept()


def test_get_is_refused(line: PhoneNumber) -> None:
    assert Client().get(VOICE).status_code == 405


def test_line_has_tokens_of_its_own(
    line: PhoneNumber, other_line: PhoneNumber, settings: Settings
) -> None:
    """Both tokens of a rotation, and then no longer the account's, nor for another line."""
    settings.TELEPHONY_KEYS = [Fernet.generate_key().decode()]
    own = "0123456789abcdef0123456789abcdef"
    with tenant(line.id):
        credential = TelephonyCredential(phone=line, account_sid=ACCOUNT)
        credential.set_tokens(current=own, upcoming=NEXT_TOKEN)
        credential.save()
    assert post(voice_event(new_sid(), "ringing"), token=own).status_code == 204
    assert post(voice_event(new_sid(), "ringing"), token=NEXT_TOKEN).status_code == 204
    assert post(voice_event(new_sid(), "ringing"), token=TOKEN).status_code == 403
    to_other = voice_event(new_sid(), "ringing", To=other_line.number)
    assert post(to_other, token=own).status_code == 403
    assert post(to_other, token=TOKEN).status_code == 204
    # The other account's events are not this line's, even with its token.
    stranger = voice_event(new_sid(), "ringing", AccountSid="AC" + "f" * 32)
    assert post(stranger, token=own).status_code == 400
    # Recordings name the account alone.
    sid = new_sid()
    early = recording_event(sid, "completed")
    assert post(early, path=RECORDING, token=TOKEN).status_code == 403
    assert post(early, path=RECORDING, token=own).status_code == 204
    with tenant(line.id):
        assert CallEvent.objects.get(call_sid=sid).outcome == "waiting"
    assert post(voice_event(sid, "ringing"), token=own).status_code == 204
    with tenant(line.id):
        assert Call.objects.get(call_sid=sid).recording_url


def test_unreadable_token_puts_the_event_off(line: PhoneNumber, settings: Settings) -> None:
    settings.TELEPHONY_KEYS = [Fernet.generate_key().decode()]
    with tenant(line.id):
        credential = TelephonyCredential(phone=line)
        credential.set_tokens(current=TOKEN)
        credential.save()
    settings.TELEPHONY_KEYS = []
    response = post(voice_event(new_sid(), "ringing"))
    assert response.status_code == 503
    assert response["Retry-After"]
