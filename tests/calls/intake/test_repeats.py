"""One signed text is one row of the inbox, in whatever names and values it is sent."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.credentials import TelephonyCredential
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import (
    ACCOUNT,
    FORM,
    RECORDING,
    RECORDING_URL,
    TOKEN,
    VOICE,
    new_sid,
    post,
    post_json,
    recording_event,
    sign,
    voice_event,
)
from tests.factories import make_line


def divisions(path: str, parameters: dict[str, str]) -> Iterator[dict[str, str]]:
    """Other forms that have the signature of the given one: the borders of one value are moved."""
    signature = sign(path, parameters)
    for name, value in parameters.items():
        others = {other: parameters[other] for other in parameters if other != name}
        text = name + value
        for border in range(1, len(text)):
            divided = others | {text[:border]: text[border:]}
            if border != len(name) and sign(path, divided) == signature:
                yield divided
        for other in others:
            merged = others | {other: parameters[other] + text}
            if sign(path, merged) == signature:
                yield merged


def send(path: str, parameters: dict[str, str], signature: str) -> Any:
    return Client().post(
        path,
        urlencode(parameters),
        content_type=FORM,
        headers={"X-Twilio-Signature": signature},
    )


def inbox() -> list[CallEvent]:
    with all_tenants("test"):
        return list(CallEvent.objects.order_by("id"))


@pytest.mark.parametrize("genuine_first", [True, False])
def test_every_division_of_a_signed_form_is_one_row(
    line: PhoneNumber, genuine_first: bool
) -> None:
    genuine = voice_event(new_sid(), "completed", CallDuration="7")
    signature = sign(VOICE, genuine)
    forged = list(divisions(VOICE, genuine))
    assert len(forged) > 100
    for form in [genuine, *forged] if genuine_first else [*forged, genuine]:
        assert send(VOICE, form, signature).status_code in (204, 400, 403)
    ours = [event for event in inbox() if event.phone_id == line.pk]
    assert [event.outcome for event in ours] == ["applied"]
    # Of the values that are used none is lost. The others are as they came first.
    used = {
        name: genuine[name] for name in ("CallSid", "CallStatus", "CallDuration", "From", "To")
    }
    assert used.items() <= ours[0].payload.items()
    # Of those that name no line one row more may be kept.
    assert len(inbox()) <= 2
    with tenant(line.pk):
        call = Call.objects.get()
    assert (call.status, call.duration, call.caller_number) == ("completed", 7, "+14155559999")


def test_json_of_one_body_is_one_row(line: PhoneNumber) -> None:
    sid = new_sid()
    for _ in range(3):
        post_json(voice_event(sid, "completed", CallDuration="7"))
    post_json(voice_event(sid, "completed", CallDuration="8"))
    assert [(event.repeats, event.payload["CallDuration"]) for event in inbox()] == [
        (2, "7"),
        (0, "8"),
    ]


@pytest.mark.parametrize("genuine_first", [True, False])
def test_no_copy_takes_a_recording_from_one_that_waits(
    line: PhoneNumber, genuine_first: bool
) -> None:
    sid = new_sid()
    genuine = recording_event(sid, "completed")
    copy = {name: value for name, value in genuine.items() if name != "RecordingUrl"}
    copy["RecordingTrack"] += f"RecordingUrl{RECORDING_URL}"
    malformed = {name: value for name, value in genuine.items() if name != "RecordingStatus"}
    malformed["RecordingSource"] += "RecordingStatuscompleted"
    copies = [copy, malformed]
    signature = sign(RECORDING, genuine)
    for form in [genuine, *copies] if genuine_first else [*copies, genuine]:
        assert send(RECORDING, form, signature).status_code in (204, 400)
    [event] = inbox()
    assert (event.outcome, event.repeats, event.payload) == ("waiting", 2, genuine)
    post(voice_event(sid, "completed"))
    with tenant(line.pk):
        assert Call.objects.get().recording_url == RECORDING_URL


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("genuine_first", [True, False])
def test_no_copy_takes_away_an_event_of_a_line_added_later(genuine_first: bool) -> None:
    genuine = voice_event(new_sid(), "completed", CallDuration="7")
    copy = {name: value for name, value in genuine.items() if name != "CallStatus"}
    copy["CallSid"] += "CallStatuscompleted"
    for form in [genuine, copy] if genuine_first else [copy, genuine]:
        send(VOICE, form, sign(VOICE, genuine))
    line = make_line(number="+14155550101")
    call_command("replay_events")
    with tenant(line.pk):
        assert Call.objects.get().duration == 7
    assert [event.outcome for event in inbox()] == ["applied"]


def test_the_same_parameters_signed_for_another_url_are_another_event(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "completed")
    for query in ("", "?try=1", "?try=1"):
        assert send(VOICE + query, event, sign(VOICE + query, event)).status_code == 204
    assert [event.repeats for event in inbox()] == [0, 1]


def test_a_repeat_that_the_next_token_signed_is_one_row(
    line: PhoneNumber, settings: Settings
) -> None:
    settings.TELEPHONY_KEYS = [Fernet.generate_key().decode()]
    upcoming = TOKEN[::-1]
    with tenant(line.pk):
        credential = TelephonyCredential(phone=line, account_sid=ACCOUNT)
        credential.set_tokens(current=TOKEN, upcoming=upcoming)
        credential.save()
    event = voice_event(new_sid(), "completed")
    for token in (TOKEN, upcoming):
        assert send(VOICE, event, sign(VOICE, event, token=token)).status_code == 204
    assert [event.repeats for event in inbox()] == [1]
