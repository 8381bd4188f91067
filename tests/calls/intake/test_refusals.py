"""Refused callbacks are counted for staff with the probable cause; replays add no rows."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from calls.models import Call, CallEvent, RefusedCallback
from tenancy import all_tenants, tenant
from tenants.credentials import TelephonyCredential
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import (
    FORM,
    RECORDING,
    TOKEN,
    VOICE,
    new_sid,
    post,
    recording_event,
    voice_event,
)

OTHER_TOKEN = "f" * 32


def post_signed(url: str, parameters: dict[str, str], token: str = TOKEN) -> Any:
    signature = RequestValidator(token).compute_signature(url, parameters)
    return Client(HTTP_X_TWILIO_SIGNATURE=signature).post(
        VOICE, urlencode(parameters), content_type=FORM
    )


def refused() -> list[tuple[Any, ...]]:
    with all_tenants("test"):
        rows = RefusedCallback.objects.order_by("id")
        return list(rows.values_list("phone_id", "cause", "count"))


@pytest.mark.parametrize(
    "url",
    [
        "http://calls.example.com/webhooks/twilio/voice/",
        "https://calls.example.com/webhooks/twilio/voice",
        "https://testserver/webhooks/twilio/voice/",
        "http://testserver/webhooks/twilio/voice",
    ],
)
def test_the_url_that_was_signed_is_named(
    line: PhoneNumber, settings: Settings, back_office: Client, url: str
) -> None:
    settings.PUBLIC_URL = "https://calls.example.com"
    assert post_signed(url, voice_event(new_sid(), "ringing")).status_code == 403
    assert refused() == [(line.pk, "wrong_url", 1)]
    page = back_office.get("/admin/calls/refusedcallback/").content.decode()
    assert f"Signed for {url}: PUBLIC_URL is https://calls.example.com." in page
    with tenant(line.pk):
        assert not CallEvent.objects.exists()


def test_causes_are_told_apart(
    line: PhoneNumber, other_line: PhoneNumber, settings: Settings
) -> None:
    settings.TELEPHONY_KEYS = [Fernet.generate_key().decode()]
    with all_tenants("test"):
        own = TelephonyCredential(phone=other_line)
        own.set_tokens(current=OTHER_TOKEN)
        own.save(force_insert=True)
    post(voice_event(new_sid(), "ringing"), token="wrong")
    post(voice_event(new_sid(), "ringing", To=other_line.number))
    post(voice_event(new_sid(), "ringing", To="+14155550999"), token="wrong")
    Client().post(VOICE, "a=b", content_type=FORM)
    Client(HTTP_X_TWILIO_SIGNATURE="x").post(VOICE, "a=1", content_type="text/plain")
    assert refused() == [
        (line.pk, "wrong_token", 1),
        (other_line.pk, "account_token", 1),
        (None, "unknown_line", 1),
        (None, "no_signature", 1),
        (None, "unreadable", 1),
    ]


def test_staff_read_what_a_missing_signature_may_mean(
    line: PhoneNumber, back_office: Client
) -> None:
    for _ in range(2):
        Client().post(VOICE, "a=b", content_type=FORM)
    page = back_office.get("/admin/calls/refusedcallback/").content.decode()
    assert "The request has no X-Twilio-Signature" in page
    assert "<span>1 row</span>" in page  # of two callbacks
    with all_tenants("test"):
        assert str(RefusedCallback.objects.get()) == "2 refused callbacks: No signature"


def test_a_flood_is_one_row(line: PhoneNumber) -> None:
    for _ in range(30):
        secret = voice_event(new_sid(), "ringing", From="+14155550199")
        assert post(secret, token="wrong").status_code == 403
    assert refused() == [(line.pk, "wrong_token", 30)]
    with all_tenants("test"):
        [row] = RefusedCallback.objects.values()
    assert "0199" not in json.dumps(row, default=str)


def test_replays_of_one_event_add_no_rows(line: PhoneNumber) -> None:
    sid = new_sid()
    for _ in range(5):
        assert post(voice_event(sid, "in-progress")).status_code == 204
        assert post(recording_event(sid, "completed"), path=RECORDING).status_code == 204
    for _ in range(3):
        post(voice_event(new_sid(), "ringing", To="+14155550999"))
    unknown = voice_event(new_sid(), "ringing", To="+14155550999")
    for _ in range(3):
        post(unknown)
    with tenant(line.pk):
        events = CallEvent.objects.order_by("id")
        assert list(events.values_list("kind", "outcome", "repeats")) == [
            ("voice", "applied", 4),
            ("recording", "applied", 4),
        ]
        assert Call.objects.count() == 1
    with all_tenants("test"):
        assert CallEvent.objects.filter(phone=None).count() == 4
