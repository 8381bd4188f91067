"""Events that could not be applied stay, are seen by staff, and are applied later."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from calls.intake.webhooks.retention import prune_events
from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import RECORDING, new_sid, post, recording_event, voice_event
from tests.factories import make_call, make_line


def outcomes() -> list[str]:
    with all_tenants("test"):
        return list(CallEvent.objects.order_by("id").values_list("outcome", flat=True))


@pytest.mark.usefixtures("db")
def test_events_of_a_line_added_later_are_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    sid = new_sid()
    for status in ("ringing", "in-progress", "completed"):
        post(voice_event(sid, status))
    post(voice_event(sid, "vanished"))
    assert outcomes() == ["unknown_line"] * 3 + ["unknown_status"]
    line = make_line(number="+14155550101")
    call_command("replay_events")
    assert "applied: 3" in capsys.readouterr().out
    assert outcomes() == ["applied"] * 3 + ["unknown_status"]
    with tenant(line.id):
        assert Call.objects.get().status == "completed"
        assert CallEvent.objects.filter(replayed_at=None).count() == 0


def test_a_bad_event_blocks_no_other(line: PhoneNumber) -> None:
    post(voice_event("CA?", "ringing"))
    sid = new_sid()
    post(recording_event(sid, "completed"), path=RECORDING)
    make_call(line, call_sid=sid)
    call_command("replay_events")
    assert outcomes() == ["malformed", "applied"]
    with tenant(line.id):
        assert Call.objects.get().recording_url


def test_replaying_an_applied_event_changes_nothing(line: PhoneNumber) -> None:
    post(voice_event(new_sid(), "completed"))
    with tenant(line.id):
        before = Call.objects.values().get()
        call_command("replay_events", str(CallEvent.objects.get().pk))
        assert Call.objects.values().get() == before
    assert outcomes() == ["duplicate"]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("replay_events", ["--limit=0"]),
        ("replay_events", ["--limit=-1"]),
        ("replay_events", ["999999999999"]),
        ("replay_events", ["99999999999999999999999"]),
        ("prune_events", ["--days=0"]),
        ("prune_events", ["--days=99999999999"]),
        ("end_stuck_calls", ["--after=59"]),
        ("end_stuck_calls", ["--after=99999999999999"]),
    ],
)
def test_commands_refuse_nonsense(line: PhoneNumber, command: str, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(command, *arguments)
    assert "\n" not in str(refused.value)


def test_staff_replay_from_the_admin(client: Client, superuser: User) -> None:
    post(voice_event(new_sid(), "ringing"))
    make_line(number="+14155550101")
    client.force_login(superuser)
    page = client.get("/admin/calls/callevent/?problem=yes")
    assert "Unknown line" in page.text
    with all_tenants("test"):
        pk = CallEvent.objects.get().pk
    assert client.get(f"/admin/calls/callevent/{pk}/change/").status_code == 200
    response = client.post(
        "/admin/calls/callevent/", {"action": "replay", "_selected_action": [pk]}, follow=True
    )
    assert "1 event replayed: 1 applied" in response.text
    assert outcomes() == ["applied"]


def test_an_event_without_values_shows_none(line: PhoneNumber, back_office: Client) -> None:
    post(voice_event("CA123", "ringing"))
    post(voice_event(new_sid(), "ringing"))
    with all_tenants("test"):
        malformed, applied = CallEvent.objects.order_by("id").values_list("pk", flat=True)
    for pk, is_read in ((malformed, False), (applied, True)):
        page = back_office.get(f"/admin/calls/callevent/{pk}/change/").text
        assert ("The values read from the parameters." in page) is is_read


def test_reading_the_inbox_does_not_let_one_replay(
    client: Client, support_agent: User, line: PhoneNumber
) -> None:
    post(voice_event(new_sid(), "on-hold"))
    support_agent.user_permissions.add(Permission.objects.get(codename="view_callevent"))
    client.force_login(support_agent)
    with all_tenants("test"):
        pk = CallEvent.objects.get().pk
    page = client.get("/admin/calls/callevent/")
    assert page.status_code == 200
    assert "Apply again" not in page.text
    client.post("/admin/calls/callevent/", {"action": "replay", "_selected_action": [pk]})
    with all_tenants("test"):
        assert CallEvent.objects.get().replayed_at is None


def test_retention_deletes_old_events_and_no_calls(line: PhoneNumber) -> None:
    for _ in range(5):
        post(voice_event(new_sid(), "ringing"))
    now = timezone.now()
    with all_tenants("test"):
        old = CallEvent.objects.order_by("id").values("pk")[:3]
        CallEvent.objects.filter(pk__in=old).update(received_at=now - timedelta(days=100))
    assert prune_events(now=now, batch=2) == 3
    assert prune_events(now=now, batch=2) == 0
    assert len(outcomes()) == 2
    with tenant(line.id):
        assert Call.objects.count() == 5
