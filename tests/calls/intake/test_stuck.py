"""A call whose end was never heard of is ended by us, until the provider says otherwise."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError
from django.utils import timezone

from calls.intake.stuck import end_stuck_calls
from calls.models import Call
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import post, voice_event
from tests.factories import make_call

NOW = timezone.now()
LONG_AGO = NOW - timedelta(hours=5)


def stuck_call(line: PhoneNumber, status: str) -> Call:
    return make_call(line, status=status, duration=0, created_at=LONG_AGO)


def state(line: PhoneNumber) -> tuple[str, str | None, int]:
    with tenant(line.id):
        call = Call.objects.get()
    return call.status, call.provider_status, call.duration


def test_only_old_live_calls_are_ended(line: PhoneNumber, other_line: PhoneNumber) -> None:
    stuck_call(line, "ringing")
    for _ in range(2):
        stuck_call(other_line, "answered")
    make_call(line, status="ringing", created_at=NOW - timedelta(hours=3))
    make_call(line, status="completed", created_at=LONG_AGO)
    ended = end_stuck_calls(now=NOW, batch=2)
    assert ended == {"failed": 1, "completed": 2}
    assert not end_stuck_calls(now=NOW)
    with tenant(line.id):
        assert Call.objects.filter(provider_status="timed-out").count() == 1
        assert Call.objects.live().count() == 1


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        ("ringing", "ringing", ("failed", "timed-out", 0)),
        ("ringing", "in-progress", ("answered", "in-progress", 0)),
        ("ringing", "completed", ("completed", "completed", 9)),
        ("ringing", "busy", ("failed", "busy", 9)),
        ("answered", "ringing", ("completed", "timed-out", 0)),
        ("answered", "in-progress", ("completed", "timed-out", 0)),
        ("answered", "completed", ("completed", "completed", 9)),
        ("answered", "failed", ("failed", "failed", 9)),
    ],
)
def test_a_later_real_event_wins(
    line: PhoneNumber, before: str, event: str, after: tuple[str, str, int]
) -> None:
    call = stuck_call(line, before)
    end_stuck_calls(now=NOW)
    duration = "9" if after[2] else None
    sent = voice_event(call.call_sid, event, CallDuration=duration, From="+14155559999")
    assert post(sent).status_code == 204
    assert state(line) == after


def test_a_real_end_is_not_overruled(line: PhoneNumber) -> None:
    call = stuck_call(line, "ringing")
    end_stuck_calls(now=NOW)
    post(voice_event(call.call_sid, "busy"))
    post(voice_event(call.call_sid, "completed"))
    assert state(line) == ("failed", "busy", 0)


def test_nobody_else_overrules_our_end(line: PhoneNumber) -> None:
    call = stuck_call(line, "ringing")
    end_stuck_calls(now=NOW)
    with tenant(line.id), pytest.raises(IntegrityError, match="only moves forward"):
        Call.objects.filter(pk=call.pk).update(status="answered")


def test_command_says_what_it_ended(line: PhoneNumber, capsys: pytest.CaptureFixture[str]) -> None:
    stuck_call(line, "answered")
    call_command("end_stuck_calls")
    assert capsys.readouterr().out == "Calls ended: 1 (1 completed, 0 failed).\n"
    with pytest.raises(CommandError, match="from 60"):
        call_command("end_stuck_calls", "--after=5")
