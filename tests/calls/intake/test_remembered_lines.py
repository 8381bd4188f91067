"""A process remembers the lines of callbacks; what it remembers decides nothing by itself."""

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from calls.intake.models import EventKind
from calls.intake.webhooks import signers
from calls.intake.webhooks.events import read_address
from calls.intake.webhooks.inbox import SignerChanged, classify, store
from calls.intake.webhooks.signers import find_signer
from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.credentials import TelephonyCredential
from tenants.models import PhoneNumber
from tests.calls.intake.callbacks import ACCOUNT, TOKEN, new_sid, post, voice_event
from tests.factories import make_line

OWN, NEXT = "0123456789abcdef0123456789abcdef", "abcdefabcdefabcdefabcdefabcdefab"


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    settings.TELEPHONY_KEYS = [Fernet.generate_key().decode()]


def give_tokens(line: PhoneNumber, *, current: str, upcoming: str = "") -> None:
    with tenant(line.id):
        credential = TelephonyCredential.objects.filter(phone=line).first()
        credential = credential or TelephonyCredential(phone=line, account_sid=ACCOUNT)
        credential.set_tokens(current=current, upcoming=upcoming)
        credential.save()


def status(line: PhoneNumber, token: str) -> int:
    event = voice_event(new_sid(), "ringing", To=line.number)
    code: int = post(event, token=token).status_code
    return code


def test_a_callback_of_a_cached_line_is_one_statement(line: PhoneNumber) -> None:
    assert status(line, TOKEN) == 204
    with CaptureQueriesContext(connection) as queries:
        assert status(line, TOKEN) == 204
    assert len(queries) == 1


def test_a_token_that_was_taken_away_is_refused_at_once(line: PhoneNumber) -> None:
    give_tokens(line, current=OWN)
    assert status(line, OWN) == 204
    give_tokens(line, current=NEXT)
    assert status(line, OWN) == 403
    assert status(line, NEXT) == 204
    with tenant(line.id):
        TelephonyCredential.objects.all().delete()
    assert status(line, NEXT) == 403
    assert status(line, TOKEN) == 204
    give_tokens(line, current=OWN, upcoming=NEXT)
    assert status(line, TOKEN) == 403
    assert status(line, NEXT) == 204
    with tenant(line.id):
        assert Call.objects.count() == CallEvent.objects.count() == 4


def test_a_number_that_moved_takes_its_calls_along(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    assert status(line, TOKEN) == 204
    number = line.number
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number="+14155550999")
        PhoneNumber.objects.filter(pk=other_line.pk).update(number=number)
    assert status(line, TOKEN) == 204
    with tenant(line.id):
        assert Call.objects.count() == 1
    with tenant(other_line.id):
        assert Call.objects.count() == 1


def test_a_line_that_was_deleted_is_forgotten(line: PhoneNumber) -> None:
    assert status(line, TOKEN) == 204
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).delete()
    assert status(line, TOKEN) == 204
    with all_tenants("test"):
        assert CallEvent.objects.get().outcome == "unknown_line"
        assert not Call.objects.exists()


def test_the_first_number_that_is_a_line_counts(line: PhoneNumber) -> None:
    """Remembered by the caller's number, until the called one is a line as well."""
    event = voice_event(new_sid(), "ringing", From=line.number, To="+14155550999")
    assert post(event).status_code == 204
    called = make_line(number="+14155550999")
    assert post(event | {"CallSid": new_sid()}).status_code == 204
    for known in (line, called):
        with tenant(known.id):
            assert Call.objects.count() == 1


def test_nothing_is_stored_for_a_line_that_changed_since(line: PhoneNumber) -> None:
    event = voice_event(new_sid(), "ringing")
    signer = find_signer(read_address(EventKind.VOICE, event))
    judged = classify(EventKind.VOICE, event, signer, received_at=datetime.now(UTC))
    give_tokens(line, current=OWN)
    with pytest.raises(SignerChanged):
        store(judged)
    with all_tenants("test"):
        assert not Call.objects.exists()
        assert not CallEvent.objects.exists()


def test_memory_is_bounded(
    line: PhoneNumber, other_line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signers, "MAX_CACHED", 1)
    monkeypatch.setattr(signers, "_cached", {})
    for called in (line, other_line, line):
        assert status(called, TOKEN) == 204
        assert len(signers._cached) == 1
