"""Only recordings on hosts that the operator named become links, and are shown by the API."""

import json

import pytest
from pytest_django import Settings

from calls.api.page import read_call
from calls.recordings import playable_url
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.factories import make_call

HOSTS = ["api.twilio.com", "recordings.example", "2001:db8::1"]
CASES = [
    ("https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1", True),
    ("https://API.TWILIO.COM/Recordings/RE1.mp3?a=b", True),
    ("https://api.twilio.com:443/RE1", True),
    ("http://api.twilio.com/RE1", False),
    ("https://api.twilio.com:8443/RE1", False),
    ("https://api.twilio.com:99999/RE1", False),
    ("https://api.twilio.com.evil.example/RE1", False),
    ("https://evil.example/api.twilio.com", False),
    ("https://api.twilio.com@evil.example/", False),
    ("https://user:password@api.twilio.com/", False),
    ("https://evil.example\\@api.twilio.com/", False),
    ("https://api.twilio.com\n.evil.example/", False),
    ("//api.twilio.com/RE1", False),
    ("javascript://api.twilio.com/%0aalert(1)", False),
    ("data:audio/mpeg;base64,AAAA", False),
    ("https://[::1]/", False),
    ("https://169.254.169.254/latest/meta-data/", False),
    ("https://[oops/", False),
    ("", False),
    (None, False),
    ("HTTPS://api.twilio.com", True),
    ("https://api.twilio.com:/RE1?a=[b]#c", True),
    ("https://api.twilio.com:0443/RE1", True),
    ("https://api.twilio.com:0/RE1", False),
    ("https://@api.twilio.com/RE1", False),
    ("https://apiXtwilio.com/RE1", False),
    ("https://api.twilio.com\\@evil.example/", False),
    ("https://api.twilio.com/RE1\n", False),
    ("\thttps://api.twilio.com/RE1", False),
    ("https://api.twilio.com/a b", False),
    ("https://api.twilio.com/\x7f", False),
    ("http\u017f://api.twilio.com/", False),
    ("https://recordings.example/RE1", True),
    ("https://[2001:db8::1]/RE1", True),
    ("https://[2001:db8::1]:443/RE1", True),
    ("https://[2001:db8::2]/RE1", False),
    ("https://2001:db8::1/RE1", False),
]


@pytest.mark.parametrize(("url", "is_playable"), CASES)
def test_recording_link(url: str | None, is_playable: bool, settings: Settings) -> None:
    settings.RECORDING_HOSTS = HOSTS
    assert playable_url(url) == (url if is_playable else None)


@pytest.mark.parametrize(("url", "is_playable"), CASES)
def test_recording_in_the_api(
    line: PhoneNumber, url: str | None, is_playable: bool, settings: Settings
) -> None:
    settings.RECORDING_HOSTS = HOSTS
    call = make_call(line, recording_url=url)
    with tenant(line.pk):
        body = read_call(call.pk)
    assert body is not None
    assert json.loads(body)["recording_url"] == (url if is_playable else None)
