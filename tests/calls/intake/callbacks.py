"""Callbacks as Twilio sends them, signed as Twilio signs them."""

import hashlib
import itertools
import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator

TOKEN = "12345678901234567890123456789012"
ACCOUNT = "AC" + "0" * 31 + "1"
VOICE, RECORDING = "/webhooks/twilio/voice/", "/webhooks/twilio/recording/"
FORM = "application/x-www-form-urlencoded"
RECORDING_URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/RE" + "a" * 32
OWN_URL = "https://recordings.example/1.mp3"  # not the provider's
_count = itertools.count(1)


def new_sid() -> str:
    return f"CAf{next(_count):031x}"  # tests.factories counts from CA0 on


def voice_event(sid: str, status: str, **overrides: str | None) -> dict[str, str]:
    """The parameters of a progress callback; None takes one away."""
    parameters = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": sid,
        "CallStatus": status,
        "Called": "+14155550101",
        "Caller": "+14155559999",
        "CallbackSource": "call-progress-events",
        "Direction": "inbound",
        "From": "+14155559999",
        "To": "+14155550101",
    } | overrides
    return {name: value for name, value in parameters.items() if value is not None}


def recording_event(sid: str, status: str, **overrides: str | None) -> dict[str, str]:
    parameters = {
        "AccountSid": ACCOUNT,
        "CallSid": sid,
        "RecordingSid": "RE" + "a" * 32,
        "RecordingUrl": RECORDING_URL,
        "RecordingStatus": status,
        "RecordingDuration": "48",
        "RecordingChannels": "1",
        "RecordingSource": "RecordVerb",
        "RecordingTrack": "both",
    } | overrides
    return {name: value for name, value in parameters.items() if value is not None}


def sign(path: str, parameters: Any, *, token: str = TOKEN) -> str:
    signature: str = RequestValidator(token).compute_signature(
        settings.PUBLIC_URL + path, parameters
    )
    return signature


def post(
    parameters: dict[str, str], *, path: str = VOICE, token: str = TOKEN, **options: Any
) -> Any:
    """Send a signed form."""
    return Client().post(
        path,
        urlencode(parameters),
        content_type=FORM,
        headers={"X-Twilio-Signature": sign(path, parameters, token=token)},
        **options,
    )


def post_json(parameters: Any, *, path: str = VOICE, token: str = TOKEN) -> Any:
    body = parameters if isinstance(parameters, str) else json.dumps(parameters)
    url = f"{path}?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    return Client().post(
        url,
        body,
        content_type="application/json",
        headers={"X-Twilio-Signature": sign(url, {}, token=token)},
    )
