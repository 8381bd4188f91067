"""Sessions in this database, and ending those of our own login with a recorded reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from monitoring.masking import mask
from monitoring.models import EndedSession, HowEnded
from monitoring.server import read_only_transaction, rows
from tenancy import all_tenants, no_tenant

SHOWN = 200
SESSIONS = """
SELECT pid, usename AS login, application_name AS work, coalesce(state, '') AS state,
    backend_start AS began, query_start, query,
    extract(epoch FROM clock_timestamp() - xact_start) AS transaction_seconds,
    extract(epoch FROM clock_timestamp() - state_change) AS state_seconds,
    concat_ws(' ', wait_event_type, wait_event) AS waits,
    array_to_string(pg_blocking_pids(pid), ', ') AS blockers,
    usename = session_user AS is_ours
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
AND pid <> pg_backend_pid()
ORDER BY xact_start NULLS LAST, state_change DESC LIMIT %(shown)s
"""
# The session that was shown, not a later one with the same number; to cancel, also the same
# statement. A login can only end its own sessions.
END = """
SELECT {function}(pid) FROM pg_stat_activity
WHERE pid = %(pid)s AND backend_start = %(began)s AND usename = session_user {still}
"""
FUNCTIONS = {
    HowEnded.CANCELLED: (
        "pg_cancel_backend",
        "AND state = 'active' AND query_start = %(query_start)s",
    ),
    HowEnded.TERMINATED: ("pg_terminate_backend", ""),
}


@dataclass(frozen=True)
class Session:
    """One session; `statement` has its values removed, `line` is empty for all lines or none."""

    pid: int
    login: str
    work: str
    state: str
    began: datetime
    query_start: datetime | None
    transaction_seconds: float | None
    state_seconds: float | None
    waits: str
    blockers: str
    is_ours: bool
    statement: str
    line: str


def sessions() -> list[Session]:
    """All sessions but this one, oldest transaction first."""
    with read_only_transaction(reason="sessions of the database") as cursor:
        return [_session(row) for row in rows(cursor, SESSIONS, {"shown": SHOWN})]


def _session(row: dict[str, Any]) -> Session:
    statement = mask(row.pop("query") or "")
    return Session(**row, statement=statement.text, line=statement.line)


def end_session(session: Session, how: HowEnded, *, by: str, reason: str) -> EndedSession:
    """Cancel its statement or terminate it; recorded whatever the outcome.

    `succeeded` of the record is False when the session or statement had already ended.
    """
    with all_tenants("a session is ended"):
        record = EndedSession.objects.create(
            by=by,
            how=how,
            reason=reason,
            pid=session.pid,
            login=session.login,
            work=session.work,
            state=session.state,
            statement=session.statement,
        )
    function, still = FUNCTIONS[how]
    with no_tenant(), connection.cursor() as cursor:  # as the login itself
        cursor.execute(END.format(function=function, still=still), vars(session))
        row = cursor.fetchone()
    record.succeeded = bool(row and row[0])
    with all_tenants("a session is ended"):
        record.save(update_fields=["succeeded"])
    return record
