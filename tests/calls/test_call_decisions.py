"""What was decided for a call is a part of it: moved, archived, held and forgotten with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from calls.archival.loading import load_file
from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from calls.decision_retention import KEEP, prune_decisions
from calls.decisions import CallDecision, decisions_of
from calls.intake.pipeline import deliver
from calls.models import Call, CallArchive
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, drop_june, query
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.calls.intake.test_legs_taken_for_calls import of_leg
from tests.factories import archive, hold, keep_decision, make_call, make_line, release_holds

LONG_AGO = datetime(2023, 6, 1, tzinfo=UTC)
HELD = "under legal hold"


@pytest.fixture(autouse=True)
def provider(settings: Any) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]


def known(call: Any) -> list[Any]:
    """The caller that each decision of a call was made with, in order."""
    with all_tenants("test"):
        return [decision.facts.get("caller") for decision in decisions_of(call)]


def decide_twice(line: PhoneNumber, sid: str) -> None:
    assert keep_decision(line, sid, facts='{"caller": "+14155550111"}') == "kept"
    assert keep_decision(line, sid, facts='{"caller": "+14155550122"}') == "kept"


TWICE = ["+14155550111", "+14155550122"]


def test_decisions_are_kept_in_order_and_the_same_once(line: PhoneNumber) -> None:
    call = make_call(line)
    decide_twice(line, call.call_sid)
    facts = '{"caller":   "+14155550111"}'
    assert keep_decision(line, call.call_sid, facts=facts) == "duplicate"
    assert keep_decision(line, call.call_sid, facts=facts, version="v2") == "kept"
    assert keep_decision(line, call.call_sid, facts=facts, at="2026-03-02 09:00:00.1Z") == "kept"
    assert known(call) == [*TWICE, "+14155550111", "+14155550111"]
    assert keep_decision(line, call.call_sid, version="v3", most=4) == "full"
    assert keep_decision(line, call.call_sid, facts=facts, most=4) == "duplicate"


def test_no_other_line_sees_or_fills_a_calls_decisions(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    call = make_call(line)
    decide_twice(line, call.call_sid)
    for sid in (call.call_sid, new_sid()):
        assert keep_decision(other_line, sid, most=1) == "kept"
        assert keep_decision(other_line, sid, most=1, version="v2") == "full"
    assert known(call) == TWICE
    with all_tenants("test"):
        archive(call)
    assert keep_decision(line, call.call_sid) == "archived"
    assert keep_decision(other_line, call.call_sid, most=1) == "duplicate"


@pytest.mark.parametrize("first", ["decision", "call"])
def test_decisions_of_a_claim_stay_when_the_provider_confirms_it(
    line: PhoneNumber, first: str
) -> None:
    sid = new_sid()
    if first == "decision":
        decide_twice(line, sid)
    with tenant(line.pk):
        deliver(call_sid=sid, transcript="hello")
        call = Call.objects.get()
        assert call.call_sid != sid
    if first == "call":
        decide_twice(line, sid)
    assert known(call) == TWICE
    assert post(voice_event(sid, "completed")).status_code == 204
    with all_tenants("test"):
        call.refresh_from_db()
    assert (call.call_sid, known(call)) == (sid, TWICE)


def test_decisions_follow_a_sid_that_is_changed(line: PhoneNumber) -> None:
    call = make_call(line)
    decide_twice(line, call.call_sid)
    query("UPDATE calls SET call_sid = 'another'")
    with all_tenants("test"):
        call.refresh_from_db()
    assert known(call) == TWICE


@pytest.mark.parametrize("is_archived", [False, True])
def test_what_was_decided_for_a_leg_goes_to_its_call(line: PhoneNumber, is_archived: bool) -> None:
    parent, leg = new_sid(), new_sid()
    assert post(voice_event(parent, "completed")).status_code == 204
    decide_twice(line, leg)
    assert keep_decision(line, parent, facts='{"caller": "+14155550111"}') == "kept"
    with all_tenants("test"):
        call: Any = Call.objects.get()
        if is_archived:
            archive(call)
            call = CallArchive.objects.get()
    assert post(of_leg(parent, leg, "completed")).status_code == 204
    with all_tenants("test"):
        call.refresh_from_db()
        assert sorted(known(call)) == TWICE
        assert not CallDecision.objects.filter(call_sid=leg).exists()
    if not is_archived:
        assert keep_decision(line, leg) == "leg"


@pytest.mark.parametrize("is_claimed", [False, True])
def test_archive_file_and_restore_carry_decisions(
    line: PhoneNumber, full_batches: None, tmp_path: Any, is_claimed: bool
) -> None:
    sid = new_sid()
    stored_sid = f"{sid} claimed by {line.pk}" if is_claimed else sid
    call = make_call(line, call_sid=stored_sid, created_at=LONG_AGO)
    decide_twice(line, sid)
    rows = query("SELECT d::text FROM call_decisions AS d ORDER BY created_at")
    archive_calls(cut_off=CUT_OFF, started_by="test")
    with all_tenants("test"):
        assert not CallDecision.objects.exists()
        archived = CallArchive.objects.get()
    assert known(archived) == TWICE
    _, path = drop_june(tmp_path)
    load_file(path, started_by="test")
    hold(archived)
    restored = restore_calls(Choice(call_sid=stored_sid), started_by="test")
    assert restored.calls == 1
    assert query("SELECT d::text FROM call_decisions AS d ORDER BY created_at") == rows
    assert known(call) == TWICE


def test_the_documents_archive_statement_carries_decisions(line: PhoneNumber) -> None:
    call = make_call(line, created_at=LONG_AGO)
    decide_twice(line, call.call_sid)
    archive(call)
    with all_tenants("test"):
        assert known(CallArchive.objects.get()) == TWICE
        assert not CallDecision.objects.exists()


def test_decisions_are_forgotten_with_their_call(line: PhoneNumber) -> None:
    claim = make_call(line, call_sid=f"CAx claimed by {line.pk}")
    for sid in (make_call(line).call_sid, "CAx"):
        decide_twice(line, sid)
    assert known(claim) == TWICE
    query("DELETE FROM calls")
    assert query("SELECT count(*) FROM call_decisions") == [(0,)]


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_held_call_keeps_its_decisions(line: PhoneNumber, is_claimed: bool) -> None:
    sid = new_sid()
    call = make_call(line, call_sid=f"{sid} claimed by {line.pk}" if is_claimed else sid)
    decide_twice(line, sid)
    hold(call)
    with pytest.raises(IntegrityError, match=HELD), transaction.atomic():
        query("DELETE FROM call_decisions")
    # More may become known.
    assert keep_decision(line, sid, version="v2") == "kept"
    release_holds()
    query("DELETE FROM call_decisions")


@pytest.mark.parametrize(
    "change",
    [
        "decisions = '[]'",
        "decisions = decisions || decisions",
        "decisions = jsonb_set(decisions, '{0,facts}', '{}')",
        "decisions = jsonb_set(decisions, '{0,answer,trace}', 'null')",
    ],
)
def test_a_held_call_of_the_archive_keeps_its_decisions(line: PhoneNumber, change: str) -> None:
    call = make_call(line, created_at=LONG_AGO)
    decide_twice(line, call.call_sid)
    archive(call)
    hold(call)
    with pytest.raises(IntegrityError, match=HELD), transaction.atomic():
        query(f"UPDATE calls_archive SET {change}")


def test_a_held_call_is_not_restored_with_other_decisions(line: PhoneNumber) -> None:
    """The trigger that lets a held row leave the archive compares them."""
    call = make_call(line, created_at=LONG_AGO)
    decide_twice(line, call.call_sid)
    archive(call)
    hold(call)
    query("CREATE TEMPORARY TABLE kept AS SELECT * FROM calls_archive")
    query("DELETE FROM app.archived_call_sids")
    columns = "id, phone_id, caller_number, call_sid, status, duration, created_at, updated_at"
    copied = f"{columns}, legal_hold, ai_confidence"
    query(f"INSERT INTO calls ({copied}) SELECT {copied} FROM kept")
    with pytest.raises(IntegrityError, match=HELD), transaction.atomic():
        query("DELETE FROM calls_archive")
    query(
        "INSERT INTO call_decisions SELECT (jsonb_populate_record(NULL::call_decisions, d"
        " || jsonb_build_object('phone_id', phone_id, 'call_sid', call_sid))).*"
        " FROM kept, jsonb_array_elements(decisions) AS d"
    )
    query("DELETE FROM calls_archive")
    with all_tenants("test"):
        assert known(Call.objects.get()) == TWICE


def test_a_decision_never_changes(line: PhoneNumber) -> None:
    decide_twice(line, new_sid())
    with pytest.raises(IntegrityError, match="kept as it was made"), transaction.atomic():
        query("UPDATE call_decisions SET facts = '{}'")


def test_decisions_without_a_call_are_pruned(line: PhoneNumber) -> None:
    call, claim = make_call(line), make_call(line, call_sid=f"CAx claimed by {line.pk}")
    other = make_line()
    decide_twice(line, call.call_sid)
    decide_twice(line, "CAx")
    decide_twice(line, "never")
    decide_twice(other, call.call_sid)
    now = timezone.now()
    assert prune_decisions(now=now + KEEP - timedelta(hours=1)) == 0
    assert prune_decisions(now=now + KEEP + timedelta(hours=1)) == 4
    assert known(call) == known(claim) == TWICE
    with all_tenants("test"):
        assert CallDecision.objects.count() == 4
