"""A withheld caller is counted among the calls, never among the callers."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from analytics.rollups import roll_up
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event

WITHHELD = ["", "anonymous", "Restricted", "Private", "+266696687", "+7378742833", "+2562533"]
ONE_PERSON = ["+5215512345678", "+525512345678", "whatsapp:+5215512345678"]


@pytest.mark.parametrize("stored", [True, False])
def test_withheld_callers_are_no_unique_callers(
    line: PhoneNumber, settings: Settings, stored: bool
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    for caller in [*WITHHELD, *ONE_PERSON]:
        assert post(voice_event(new_sid(), "completed", From=caller)).status_code == 204
    if stored:
        with all_tenants("test"):
            roll_up()
    today = datetime.now(UTC).date()
    days = {"first": today - timedelta(days=1), "last": today}
    hours = {"since": f"{today - timedelta(days=1)}T00:00:00Z", "until": f"{today}T23:00:00Z"}
    for address, query in (("/stats/daily/", days), ("/stats/hourly/", hours)):
        body = api_of(line).get(address, query).json()
        assert body["total"]["total_calls"] == len(WITHHELD) + len(ONE_PERSON)
        assert body["total"]["unique_callers"] == 1
        assert {bucket["unique_callers"] for bucket in body["buckets"]} == {0, 1}
