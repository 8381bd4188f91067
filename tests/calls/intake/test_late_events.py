"""A callback that comes days late says when its call was."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from calls.models import Call
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import new_sid, post, voice_event

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("days", [1, 3, 30, 400])
def test_the_end_of_a_call_dates_it(line: PhoneNumber, days: int) -> None:
    ended = NOW - timedelta(days=days)
    late = voice_event(new_sid(), "completed", CallDuration="90", Timestamp=format_datetime(ended))
    assert post(late).status_code == 204
    with tenant(line.pk):
        assert Call.objects.get().created_at == ended - timedelta(seconds=90)


def test_a_time_to_come_dates_nothing(line: PhoneNumber) -> None:
    post(voice_event(new_sid(), "ringing", Timestamp=format_datetime(NOW + timedelta(days=1))))
    with tenant(line.pk):
        assert Call.objects.get().created_at < NOW + timedelta(hours=1)
