"""Only recordings on hosts that the operator named become links."""

import pytest
from pytest_django import Settings

from calls.recordings import playable_url


@pytest.mark.parametrize(
    ("url", "is_playable"),
    [
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
    ],
)
def test_recording_link(url: str | None, is_playable: bool, settings: Settings) -> None:
    settings.RECORDING_HOSTS = ["api.twilio.com"]
    assert playable_url(url) == (url if is_playable else None)
