"""A call that only a program of its line named stays that, through export and import."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from backoffice.exporting import csv_lines
from calls.admin.actions import COLUMNS
from calls.intake.models import EventKind
from calls.intake.pipeline import deliver
from calls.intake.webhooks.inbox import classify, store
from calls.intake.webhooks.signers import Signer
from calls.models import Call, CallArchive
from calls.outcomes import with_outcomes
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.call_files import (
    BAKERY,
    import_file,
    import_text,
    lines,
    own_call,
    rejected,
    the_call,
    twilio_call,
)
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.factories import archive, make_line
from tests.outages import WAITS_FOR_US


@pytest.fixture(autouse=True)
def account_token(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]


def claim(line: PhoneNumber, sid: str) -> Call:
    with tenant(line.pk):
        deliver(call_sid=sid, ai_summary="Claimed.", tags=["vip"])
        found: Call = Call.objects.get()
    return found


def export(line: PhoneNumber, directory: Path) -> Path:
    path = directory / "export.csv"
    with all_tenants("test"):
        calls = with_outcomes(Call.objects.select_related("phone", "metadata"))
        calls = calls.filter(phone_id=line.pk)
        path.write_text("".join(csv_lines(calls, columns=COLUMNS, ordering=("id",))))
    return path


def calls() -> list[tuple[str, str, str | None]]:
    with all_tenants("test"):
        found = Call.objects.order_by("phone_id", "call_sid")
        return list(found.values_list("phone_id", "call_sid", "ai_summary"))


def as_claim(line: PhoneNumber, sid: str, **columns: Any) -> dict[str, Any]:
    return own_call(
        call_sid=f"{sid} claimed by {line.pk}",
        status="ringing",
        duration=0,
        caller_number="unknown",
        **columns,
    )


@pytest.mark.parametrize("is_still_there", [True, False])
def test_an_exported_claim_takes_no_sid_from_another_line(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path, is_still_there: bool
) -> None:
    sid = new_sid()
    claimed = claim(other_line, sid)
    path = export(other_line, tmp_path)
    if not is_still_there:
        with all_tenants("test"):
            claimed.delete()
    news = "unchanged 1" if is_still_there else "loaded 1"
    for option in (["--dry-run"], []):
        assert news in import_file(path, *option)
    assert calls() == [(other_line.pk, f"{sid} claimed by {other_line.pk}", "Claimed.")]
    assert post(voice_event(sid, "completed", To=line.number)).status_code == 204
    assert (the_call(sid).phone_id, the_call(sid).status) == (line.pk, "completed")
    assert len(calls()) == 2


def test_the_provider_confirms_an_imported_claim(line: PhoneNumber, tmp_path: Path) -> None:
    sid = new_sid()
    import_text(tmp_path, lines(as_claim(line, sid, ai_summary="Claimed.")))
    post(voice_event(sid, "completed"))
    assert calls() == [(line.pk, sid, "Claimed.")]
    assert the_call(sid).caller_number == "+14155559999"


def test_a_claim_that_was_confirmed_since_is_the_call(line: PhoneNumber, tmp_path: Path) -> None:
    sid = new_sid()
    claim(line, sid)
    path = export(line, tmp_path)
    post(voice_event(sid, "completed"))
    before = calls()
    for option in (["--dry-run"], []):
        assert "loaded 0, updated 0, unchanged 1" in import_file(path, *option)
    assert calls() == before == [(line.pk, sid, "Claimed.")]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_claim_and_its_call_in_one_file_are_one_call(
    line: PhoneNumber, tmp_path: Path, is_first: bool
) -> None:
    sid = new_sid()
    rows = [as_claim(line, sid, ai_summary="Claimed."), twilio_call(sid=sid)]
    import_text(tmp_path, lines(*rows if is_first else reversed(rows)))
    assert calls() == [(line.pk, sid, "Claimed.")]
    assert (the_call(sid).status, the_call(sid).duration) == ("completed", 15)


@pytest.mark.parametrize("is_confirmed", [True, False])
@pytest.mark.parametrize("is_claim", [True, False])
def test_no_row_makes_an_archived_call_live_again(
    line: PhoneNumber, tmp_path: Path, is_confirmed: bool, is_claim: bool
) -> None:
    sid = new_sid()
    call = claim(line, sid)
    if is_confirmed:
        post(voice_event(sid, "completed"))
    with all_tenants("test"):
        call.refresh_from_db()
        archive(call)
    row = as_claim(line, sid) if is_claim else twilio_call(sid=sid)
    for option in (["--dry-run"], []):
        printed = import_text(tmp_path, lines(row, own_call()), *option)
        assert "loaded 1, updated 0, unchanged 1" in printed
    assert sid not in str(calls())
    with all_tenants("test"):
        assert CallArchive.objects.count() == 1


def test_another_lines_call_is_loaded_beside_an_archived_claim(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    sid = new_sid()
    archive(claim(other_line, sid))
    assert "loaded 1" in import_text(tmp_path, lines(twilio_call(sid=sid)))
    assert the_call(sid).phone_id == line.pk
    wrong = twilio_call(sid=sid, to=other_line.number)
    for option in (["--dry-run"], []):
        assert "rejected 1" in import_text(tmp_path, lines(wrong, own_call()), *option)


def test_a_claim_of_another_line_than_the_rows_is_rejected(
    line: PhoneNumber, other_line: PhoneNumber, tmp_path: Path
) -> None:
    row = as_claim(other_line, new_sid())
    assert "rejected 1" in import_text(tmp_path, lines(row, own_call()))
    [found] = rejected(tmp_path)
    assert "claimed by another line" in found["reason"]


def test_a_claim_that_is_a_leg_by_now_is_no_call(line: PhoneNumber, tmp_path: Path) -> None:
    sid, leg_sid = new_sid(), new_sid()
    post(voice_event(sid, "in-progress"))
    post(voice_event(leg_sid, "in-progress", ParentCallSid=sid))
    row = as_claim(line, leg_sid, ai_summary="Claimed.")
    import_text(tmp_path, lines(row, twilio_call(sid=sid)))
    assert [call_sid for _, call_sid, _ in calls()] == [sid]
    assert "put it into the row of the leg's call" in rejected(tmp_path)[0]["reason"]


def test_a_claim_that_stays_a_call_beside_its_leg_is_unchanged(
    line: PhoneNumber, tmp_path: Path
) -> None:
    sid, leg_sid = new_sid(), new_sid()
    claim(line, leg_sid)
    path = export(line, tmp_path)
    post(voice_event(sid, "in-progress"))
    post(voice_event(leg_sid, "in-progress", ParentCallSid=sid))
    before = calls()
    assert len(before) == 2
    for option in (["--dry-run"], []):
        assert "loaded 0, updated 0, unchanged 1, rejected 0" in import_file(path, *option)
    assert calls() == before


@pytest.mark.usefixtures("committed")
def test_a_claim_waits_for_an_event_that_makes_its_call(tmp_path: Path) -> None:
    line, sid = make_line(number=BAKERY), new_sid()
    event = classify(
        EventKind.VOICE,
        voice_event(sid, "completed"),
        Signer(line.pk, [TOKEN]),
        received_at=timezone.now(),
    )

    def load() -> None:
        try:
            import_text(tmp_path, lines(as_claim(line, sid, ai_summary="Claimed.")))
        finally:
            connection.close()

    thread = threading.Thread(target=load)
    with transaction.atomic():
        store(event)
        thread.start()
        with connection.cursor() as cursor:
            while not cursor.execute(WAITS_FOR_US).fetchone():
                assert thread.is_alive()
    thread.join()
    assert calls() == [(line.pk, sid, "Claimed.")]
