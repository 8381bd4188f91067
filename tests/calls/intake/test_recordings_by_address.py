"""Each recording of a call stays reachable, whoever names it, and in any order."""

import itertools
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from calls.intake.pipeline import deliver
from calls.models import Call, CallArchive, CallEvent
from calls.recordings import recordings_of
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.calls.archive import query
from tests.calls.call_files import import_text, lines, own_call
from tests.calls.intake.callbacks import (
    OWN_URL,
    RECORDING,
    RECORDING_URL,
    new_sid,
    post,
    recording_event,
    voice_event,
)
from tests.factories import archive, hold


def url(letter: str) -> str:
    return RECORDING_URL[:-32] + letter * 32


Step = Callable[[str], Any]


def called_back(letter: str) -> Step:
    event = {"RecordingSid": "RE" + letter * 32, "RecordingUrl": url(letter)}
    return lambda sid: post(recording_event(sid, "completed", **event), path=RECORDING)


def called(sid: str) -> Any:
    return post(voice_event(sid, "completed"))


@pytest.fixture
def imported(line: PhoneNumber, tmp_path: Path) -> Callable[[str], Step]:
    def by_file(address: str) -> Step:
        def load(sid: str) -> str:
            row = own_call(call_sid=sid, recording_url=address, created_at=BEGAN, caller_number="")
            return import_text(tmp_path, lines(row))

        return load

    return by_file


@pytest.fixture
def delivered(line: PhoneNumber) -> Callable[[str], Step]:
    def by_api(address: str) -> Step:
        return lambda sid: api_of(line, "ingest").put(
            f"/calls/by-sid/{sid}/", {"recording_url": address}
        )

    return by_api


BEGAN = timezone.now().isoformat()


def found(line: PhoneNumber) -> tuple[str | None, set[str | None]]:
    """The address of the call, and all addresses it has."""
    with tenant(line.pk):
        call: Any
        [call] = chain(Call.objects.all(), CallArchive.objects.all())
        return call.recording_url, {call.recording_url, *(r.url for r in recordings_of(call))}


def in_every_order(line: PhoneNumber, *steps: Step) -> set[tuple[str | None, frozenset[Any]]]:
    results = set()
    for order in itertools.permutations(steps):
        sid = new_sid()
        for step in order:
            step(sid)
        address, addresses = found(line)
        results.add((address, frozenset(addresses)))
        with all_tenants("test"):
            CallEvent.objects.all().delete()
            Call.objects.all().delete()
    return results


def test_callbacks_and_a_file(line: PhoneNumber, imported: Any) -> None:
    steps = called, called_back("a"), imported(url("b"))
    assert in_every_order(line, *steps) == {(url("b"), frozenset([url("a"), url("b")]))}


def test_callbacks_and_the_pipeline(line: PhoneNumber, delivered: Any) -> None:
    steps = called, called_back("a"), delivered(url("b"))
    assert in_every_order(line, *steps) == {(url("b"), frozenset([url("a"), url("b")]))}


def test_file_and_pipeline(line: PhoneNumber, imported: Any, delivered: Any) -> None:
    steps = delivered(url("a")), imported(url("b")), called_back("c"), called
    everything = frozenset([url("a"), url("b"), url("c")])
    assert in_every_order(line, *steps) == {(url("c"), everything)}


def test_two_files(line: PhoneNumber, imported: Any) -> None:
    steps = imported(url("a")), imported(url("b"))
    assert in_every_order(line, *steps) == {(url("b"), frozenset([url("a"), url("b")]))}


def test_another_address_of_a_file_stays(line: PhoneNumber, imported: Any) -> None:
    steps = called, called_back("a"), imported(url("b")), imported(OWN_URL)
    everything = frozenset([OWN_URL, url("a"), url("b")])
    assert in_every_order(line, *steps) == {(OWN_URL, everything)}


def test_another_address_replaces_and_loses_none(
    line: PhoneNumber, imported: Any, delivered: Any
) -> None:
    sid = new_sid()
    for step in imported(url("b")), delivered(OWN_URL), called_back("a"), imported(url("c")):
        step(sid)
    assert found(line) == (OWN_URL, {OWN_URL, url("a"), url("b"), url("c")})


def test_a_claim_takes_its_recordings_along(line: PhoneNumber, delivered: Any) -> None:
    sid = new_sid()
    delivered(url("a"))(sid)
    delivered(url("b"))(sid)
    with all_tenants("test"):
        hold(Call.objects.get())
    called(sid)
    assert found(line) == (url("b"), {url("a"), url("b")})
    assert query("SELECT DISTINCT call_sid FROM call_recordings") == [(sid,)]


def test_a_file_again_changes_nothing(
    line: PhoneNumber, imported: Any, delivered: Any, tmp_path: Path
) -> None:
    sid = new_sid()
    called(sid)
    called_back("c")(sid)
    row = own_call(call_sid=sid, recording_url=url("b"), created_at=BEGAN, caller_number="")
    for outcome in ("updated 1", "updated 0"):
        assert outcome in import_text(tmp_path, lines(row), "--dry-run")
        assert outcome in import_text(tmp_path, lines(row))
    with tenant(line.pk):
        before = Call.objects.get().updated_at
        delivered(url("b"))(sid)
        assert Call.objects.get().updated_at == before


def test_an_archived_call_keeps_the_address_it_came_with(line: PhoneNumber, imported: Any) -> None:
    sid = new_sid()
    imported(url("b"))(sid)
    with all_tenants("test"):
        archive(Call.objects.get())
    called_back("a")(sid)
    assert found(line) == (url("b"), {url("a"), url("b")})


def test_a_held_call_gets_further_recordings(
    line: PhoneNumber, imported: Any, delivered: Any
) -> None:
    sid = new_sid()
    called(sid)
    called_back("a")(sid)
    with all_tenants("test"):
        hold(Call.objects.get())
    imported(url("b"))(sid)
    assert delivered(url("c"))(sid).status_code == 200
    assert delivered(OWN_URL)(sid).status_code == 409
    assert found(line) == (url("a"), {url("a"), url("b"), url("c")})


def test_a_line_adds_to_its_own_calls_alone(line: PhoneNumber, other_line: PhoneNumber) -> None:
    sid = new_sid()
    called(sid)
    with tenant(other_line.pk):
        deliver(call_sid=sid, recording_url=url("b"))
    with tenant(line.pk):
        assert Call.objects.get().recording_url is None
        assert recordings_of(Call.objects.get()) == []
