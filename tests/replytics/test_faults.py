"""Faults of the program are logged 500s; only a value that was sent is a 400; busy is a 503."""

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from calls.models import CallEvent
from database.errors import is_unavailable, is_value_error
from replytics.log_lines import LineFormatter
from replytics.request_ids import AddRequestId
from tenancy import all_tenants
from tenants.api.line import PhoneNumberView
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of
from tests.calls.intake.callbacks import TOKEN, new_sid, post, voice_event
from tests.factories import make_line

CANARY = "+4930canary"
MAKE = "CREATE TEMP TABLE planted (number text CONSTRAINT planted_key UNIQUE) ON COMMIT DROP;"
TWICE = f"{MAKE} INSERT INTO planted VALUES ('{CANARY}'), ('{CANARY}')"
FAILED = (
    "DO $$ BEGIN"
    " RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = 'm', DETAIL = '+4930canary'; END $$"
)
# Code and status: of what PostgreSQL itself raises, and of codes that a test cannot bring about.
STATES = {
    f"SELECT ('{CANARY}')::integer": ("22P02", 500),
    "SELECT 1 / 0": ("22012", 500),
    "SELECT 99999999999::integer": ("22003", 400),
    "SELECT 'no date'::date": ("22007", 500),
    "SELECT nothing_of_the_kind": ("42703", 500),
    f"SELECT FROM '{CANARY}'": ("42601", 500),
    TWICE: ("23505", 500),
    **{
        FAILED.format(state): (state, status)
        for state, status in {
            **dict.fromkeys(("22001", "22008", "22021", "22P05"), 400),
            **dict.fromkeys(("25006", "40001", "40P01", "53100", "53300", "55P03"), 503),
            **dict.fromkeys(("57014", "57P01", "58030", "08006"), 503),
            **dict.fromkeys(("25001", "25P02", "XX000", "XX001", "0A000", "54000"), 500),
            **dict.fromkeys(("22018", "2201B", "P0001", "42501"), 500),
        }.items()
    },
}


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    """What the servers write, in their format."""
    [console] = [one for one in logging.root.handlers if isinstance(one.formatter, LineFormatter)]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(console.formatter)
    handler.addFilter(AddRequestId())
    logging.root.addHandler(handler)
    yield written.getvalue
    logging.root.removeHandler(handler)


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


def run(sql: str) -> Callable[..., None]:
    def failing(*args: object, **options: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)

    return failing


@pytest.mark.parametrize("sql", STATES, ids=[state for state, _ in STATES.values()])
def test_status_follows_the_code_of_the_error(
    api: Api, sql: str, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, status = STATES[sql]
    monkeypatch.setattr(PhoneNumberView, "find", run(sql))
    answer = api.get("/phone-number/", headers={"X-Request-Id": "proxy-0001"})
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert CANARY not in answer.text
    assert state not in answer.text
    assert CANARY not in log()
    if status == 503:
        assert int(answer["Retry-After"]) > 0
    if status == 500:
        assert answer.json()["request_id"] == answer["X-Request-Id"] == "proxy-0001"
        assert "[proxy-0001]" in log()
        assert "Traceback (most recent call last)" in log()
        assert "test_faults.py" in log()
        assert f"{state} " in log()
        assert "SELECT" not in answer.text


def test_statement_in_a_failed_transaction_is_a_fault(
    api: Api, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """25P02 from the server itself: Django makes an InternalError of it."""

    def failing(*args: object, **options: object) -> None:
        with connection.cursor() as cursor:
            for sql in ("SELECT 1 / 0", "SELECT 1"):
                try:
                    cursor.execute(sql)
                except DatabaseError as error:
                    if sql == "SELECT 1":
                        connection.needs_rollback = False
                        raise error from error.__cause__

    monkeypatch.setattr(PhoneNumberView, "find", failing)
    with transaction.atomic():
        answer = api.get("/phone-number/")
        transaction.set_rollback(True)
    assert answer.status_code == 500
    assert "25P02 InFailedSqlTransaction" in log()


def test_constraint_and_function_are_named_in_the_log(
    api: Api, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PhoneNumberView, "find", run(TWICE))
    assert api.get("/phone-number/").status_code == 500
    assert "UniqueViolation" in log()
    assert "planted_key" in log()
    monkeypatch.setattr(PhoneNumberView, "find", run(FAILED.format("XX000")))
    assert api.get("/phone-number/").status_code == 500
    assert "in function inline_code_block, line 1" in log()


def test_endless_recursion_is_a_fault(
    api: Api, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*args: object, **options: object) -> None:
        endless()

    monkeypatch.setattr(PhoneNumberView, "find", endless)
    assert api.get("/phone-number/").status_code == 500
    assert "RecursionError" in log()


def test_fault_of_a_page_is_shown_with_its_number(
    back_office: Client, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    back_office.raise_request_exception = False
    monkeypatch.setattr("backoffice.paging.KeysetChangeList._find_page", run("SELECT 1 / 0"))
    page = back_office.get("/admin/tenants/phonenumber/", headers={"X-Request-Id": "proxy-0001"})
    assert page.status_code == 500
    assert "proxy-0001" in page.text
    assert "22012 DivisionByZero" in log()


def test_form_shows_what_is_wrong_with_a_value_and_no_faults(
    back_office: Client, line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_office.raise_request_exception = False
    address = f"/admin/tenants/phonenumber/{line.pk.replace('_', '_5F')}/change/"
    for sql, status in (("SELECT 99999999999::integer", 200), ("SELECT 1 / 0", 500)):
        monkeypatch.setattr("tenants.admin.PhoneNumberAdmin.save_model", run(sql))
        context: Any = back_office.get(address).context_data
        form = context["adminform"].form
        data = {name: form[name].value() or "" for name in form.fields}
        formsets = context["inline_admin_formsets"]
        for formset in (one.formset for one in formsets):
            data |= {
                f"{formset.prefix}-{name}": value
                for name, value in formset.management_form.initial.items()
            }
            for inline in formset.forms:
                data |= {inline.add_prefix(n): inline[n].value() or "" for n in inline.fields}
        assert back_office.post(address, data).status_code == status


@pytest.mark.usefixtures("committed")
def test_event_is_stored_after_a_fault_and_its_callback_fails(
    log: Callable[[], str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TWILIO_AUTH_TOKEN = [TOKEN]
    # A number that no earlier test taught this process.
    make_line(number="+14155550177")
    sid = new_sid()
    monkeypatch.setattr("calls.intake.webhooks.inbox.RECEIVE", "SELECT (1 / 0)::text")
    with pytest.raises(DatabaseError):
        post(voice_event(sid, "ringing", To="+14155550177"))
    assert "22012 DivisionByZero" in log()
    with all_tenants("test"):
        event = CallEvent.objects.get(call_sid=sid)
    assert (event.outcome, event.reason) == (
        "malformed",
        "Rejected by the database: DivisionByZero.",
    )


def test_neither_busy_nor_a_value_is_what_is_no_error_of_the_database() -> None:
    for error in (ValueError("NUL (0x00)"), DatabaseError("server closed")):
        assert not is_unavailable(error)
        assert not is_value_error(error)
