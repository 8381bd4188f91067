"""The admin's pages about the database: for whom, what they show, and ending a session."""

import threading
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from monitoring.models import DatabaseReport, EndedSession, Statement
from monitoring.plans import WITHOUT_VALUES, NoPlan, plan_of
from monitoring.sessions import sessions
from monitoring.snapshots import take_snapshot
from monitoring.statements import ORDER_LABELS, Order, shortened
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.factories import make_line
from tests.monitoring.conftest import Connect, browser

PAGES = ["report", "statements", "sessions"]
SECRET = "+14155550123"
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def operator() -> Client:
    """Somebody who may look, and end sessions."""
    return browser("end_session", "view_databasereport")


def address(name: str, **arguments: Any) -> str:
    return reverse(f"database:{name}", kwargs=arguments)


@pytest.mark.parametrize("name", [*PAGES, "end"])
def test_database_pages_are_for_those_with_the_permission(name: str) -> None:
    assert browser().get(address(name)).status_code == 403
    looker = browser("view_databasereport")
    assert looker.get(address(name)).status_code == (403 if name == "end" else 200)
    assert "terminate" not in looker.get(address("sessions")).text
    assert "Database" in looker.get("/admin/").text


@pytest.mark.parametrize("name", [*PAGES, "end"])
def test_database_pages_are_not_for_one_line(name: str, operator: Client) -> None:
    line: PhoneNumber = make_line()
    pick(operator, line)
    assert operator.get(address(name)).status_code == 302


def test_report_page_shows_each_finding_and_looks_again(operator: Client) -> None:
    assert "No report yet" in operator.get(address("report")).text
    assert operator.post(address("report")).status_code == 302
    with all_tenants("test"):
        stored = DatabaseReport.objects.get()
    page = operator.get(address("report")).text
    for finding in stored.findings:
        assert escape(finding["label"]) in page
    assert "Start one: manage.py procrastinate worker" in page
    assert "Threshold: warning at 70%" in page


def test_long_statement_is_shortened_visibly() -> None:
    assert shortened("SELECT 1", 8) == "SELECT 1"
    assert shortened("SELECT 12", 8) == "SELECT …"


def test_statements_are_sorted_by_named_measures(operator: Client) -> None:
    page = operator.get(address("statements")).text
    for order in Order:
        assert f'?order={order}"' in page
        assert f">{ORDER_LABELS[order]}</a>" in page


def test_an_order_that_does_not_exist_is_named(operator: Client) -> None:
    page = operator.get(address("statements") + "?order=zzz").text
    assert escape("Statements cannot be sorted by 'zzz'") in page
    assert "cannot be sorted" not in operator.get(address("statements")).text


def statement_of(sql: str, mark: str, *, line: str | None = None) -> Statement:
    """What is kept of a statement that ran between two snapshots.

    The server counts statements of the same structure together, whatever their columns are called.
    """
    take_snapshot()
    with tenant(line) if line else all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(sql)
    take_snapshot()
    with all_tenants("test"):
        return Statement.objects.get(text__contains=mark)


def test_statement_page_shows_text_and_plan_without_values(operator: Client) -> None:
    found = statement_of(
        f"SELECT sha256(id::text::bytea) AS marked FROM calls WHERE caller_number = '{SECRET}'",
        "marked",
    )
    listed = operator.get(address("statements"), {"order": "calls"}).text
    assert "AS marked" in listed
    assert address("statement", pk=found.pk) in listed
    page = operator.get(address("statement", pk=found.pk)).text
    assert SECRET not in page
    server: Any = connection
    if server.pg_version < 160_000:
        assert f"No plan: {WITHOUT_VALUES}" in page
    else:
        assert "Scan" in page
        assert "caller_number = $1" in page
    assert operator.get(address("statement", pk=0)).status_code == 404


def test_plan_is_that_of_the_role_that_ran_it() -> None:
    make_line(id="pn_bakery")
    of_line = statement_of(
        "SELECT cbrt(count(id)) AS lines_own FROM calls", "lines_own", line="pn_bakery"
    )
    of_staff = statement_of("SELECT exp(count(id)) AS staffs FROM calls", "staffs")
    assert "app.phone()" in plan_of(of_line)
    assert "app.phone()" not in plan_of(of_staff)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1; DELETE FROM phone_numbers", "more than one statement"),
        ("DELETE FROM phone_numbers; COMMIT", "more than one statement"),
        ("VACUUM calls", "only SELECT"),
        ("COPY calls FROM STDIN", "only SELECT"),
        ("SELECT * FROM no_table", "the server reported: relation"),
        ("WITH gone AS (DELETE FROM", "the server reported: syntax error"),
    ],
)
def test_plan_never_runs_anything(text: str, reason: str) -> None:
    make_line()
    with pytest.raises(NoPlan, match=reason):
        plan_of(Statement(text=text, role="replytics_staff"))
    if ";" not in text and text.startswith("SELECT"):
        return
    plan_of(Statement(text="DELETE FROM phone_numbers", role="replytics_staff"))
    with all_tenants("test"):
        assert PhoneNumber.objects.count() == 1


def end(client: Client, session: "psycopg.Connection[Any]", button: str, **changed: str) -> Any:
    """What the buttons of the page send, with a reason."""
    [shown] = [s for s in sessions() if s.pid == session.info.backend_pid]
    form = {
        "how": button,
        "pid": str(shown.pid),
        "began": shown.began.isoformat(),
        "query_start": shown.query_start.isoformat() if shown.query_start else "",
    }
    page = client.get(address("sessions")).text
    assert urlencode({"pid": form["pid"], "began": form["began"]}) in page.replace("&amp;", "&")
    asked = client.get(address("end"), form)
    assert asked.status_code == 200
    assert form["began"].split("+")[0] in asked.text
    form |= {"reason": "blocks the roll-up"} | changed
    return client.post(address("end"), form, follow=True)


def records() -> list[EndedSession]:
    with all_tenants("test"):
        return list(EndedSession.objects.all())


def test_session_is_terminated_with_a_reason_on_record(operator: Client, connect: Connect) -> None:
    session = connect(name="forgetful")
    session.execute("BEGIN")
    session.execute(f"SELECT '{SECRET}'")
    page = operator.get(address("sessions")).text
    assert "forgetful" in page
    assert SECRET not in page
    answer = end(operator, session, "terminated")
    assert "terminated." in answer.text
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    [record] = records()
    assert record.succeeded
    assert (record.by, record.reason) == ("end_session-view_databasereport", "blocks the roll-up")
    assert (record.work, record.state) == ("forgetful", "idle in transaction")
    assert record.statement == "SELECT ?"
    assert "blocks the roll-up" in answer.text


def test_statement_is_cancelled_and_its_session_goes_on(
    operator: Client, connect: Connect, administrator: "psycopg.Connection[Any]"
) -> None:
    session = connect()
    failed: list[Exception] = []

    def sleep() -> None:
        try:
            session.execute("SELECT pg_sleep(60)")
        except psycopg.Error as error:
            failed.append(error)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    until_active(administrator, session.info.backend_pid)
    end(operator, session, "cancelled")
    sleeper.join()
    assert [type(error) for error in failed] == [psycopg.errors.QueryCanceled]
    assert session.execute("SELECT 1").fetchone() == (1,)
    assert [record.succeeded for record in records()] == [True]


def until_active(administrator: "psycopg.Connection[Any]", pid: int) -> None:
    active = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = %s"
    while administrator.execute(active, [pid]).fetchone() != (True,):
        pass


@pytest.mark.parametrize("reason", ["", "   ", "now"])
def test_session_is_not_ended_without_a_reason(
    operator: Client, connect: Connect, reason: str
) -> None:
    session = connect()
    end(operator, session, "terminated", reason=reason)
    assert session.execute("SELECT 1").fetchone() == (1,)
    assert records() == []


@pytest.mark.parametrize(
    "changed", [{"began": "2026-01-01T00:00:00+00:00"}, {"pid": "1"}, {"how": "burned"}]
)
def test_another_session_than_the_one_shown_is_not_ended(
    operator: Client, connect: Connect, changed: dict[str, str]
) -> None:
    session = connect()
    end(operator, session, "terminated", **changed)
    assert session.execute("SELECT 1").fetchone() == (1,)
    assert records() == []


def test_session_of_another_login_is_not_ours_to_end(operator: Client, connect: Connect) -> None:
    session = connect("owner", name="migration")
    [shown] = [s for s in sessions() if s.pid == session.info.backend_pid]
    assert not shown.is_ours
    page = operator.get(address("sessions")).text
    assert f"as replytics_owner: SELECT pg_terminate_backend({shown.pid})" in page
    form = {"how": "terminated", "pid": str(shown.pid), "began": shown.began.isoformat()}
    answer = operator.post(address("end"), form | {"reason": "I want to"}, follow=True)
    assert "can only end its own sessions" in answer.text
    assert session.execute("SELECT 1").fetchone() == (1,)
    assert records() == []


def test_looker_cannot_end_sessions(connect: Connect) -> None:
    session = connect()
    [shown] = [s for s in sessions() if s.pid == session.info.backend_pid]
    form = {"how": "terminated", "pid": str(shown.pid), "began": shown.began.isoformat()}
    answer = browser("view_databasereport").post(address("end"), form | {"reason": "no right"})
    assert answer.status_code == 403
    assert session.execute("SELECT 1").fetchone() == (1,)
