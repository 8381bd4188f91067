"""Is the process alive, and can it do its work?"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from database.errors import RETRY_AFTER, sqlstate
from database.readiness import why_unusable
from database.statement_context import statement_timeouts
from monitoring.findings import Level
from monitoring.report import backlog

# Seconds. A server that vanished from the network, or that is frozen, answers nothing at all.
PROBE_TIMEOUT = 2.5
# Milliseconds: nobody waits for the end of a probe, and the next one needs its thread.
MAX_PROBE = 10_000
DISK_FULL = "53100"  # SQLSTATE
BACKLOG_EVERY = timedelta(minutes=1)
MIGRATIONS = "SELECT app, name FROM django_migrations"

Facts = dict[str, str]
_prober = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")
_lock = threading.Lock()
_probing: Future[Facts] | None = None
_known_backlog: tuple[datetime, Level] | None = None


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database can be used, with every migration of this code; else 503 within 3 s.

    A backlog is reported to those who may see it, but is not a 503: it is the worker's, and
    calls must be answered.
    """
    try:
        facts = _probe_once().result(timeout=PROBE_TIMEOUT)
    except TimeoutError:
        facts = {"status": "database does not answer"}
    except DatabaseError as error:
        is_full = sqlstate(error) == DISK_FULL
        facts = {"status": "the server's disk is full" if is_full else "database unreachable"}
    if facts["status"] == "ok":
        return JsonResponse(facts)
    return JsonResponse(facts, status=503, headers={"Retry-After": str(RETRY_AFTER)})


def _probe_once() -> "Future[Facts]":
    """The probe that is under way, or a new one: however many ask, one connection is used."""
    global _probing
    with _lock:
        if _probing is None or _probing.done():
            _probing = _prober.submit(_probe)
        return _probing


def _probe() -> Facts:
    """On its own connection, so that it shows whether a new one can be made."""
    try:
        with statement_timeouts(statement_timeout=MAX_PROBE), connection.cursor() as cursor:
            if reason := why_unusable(cursor):
                return {"status": reason}
            cursor.execute(MIGRATIONS)
            missing = _migrations() - set(cursor.fetchall())
        if missing:
            return {"status": f"{len(missing)} migrations are missing; run manage.py migrate"}
        if settings.SERVICE in {"api", "intake"}:  # whose logins cannot read reports
            return {"status": "ok"}
        return {"status": "ok", "backlog": _backlog()}
    finally:
        connection.close()


def _backlog() -> Level:
    """Asked now and then: it is of a report that comes every five minutes, and read as staff."""
    global _known_backlog
    if _known_backlog is None or timezone.now() - _known_backlog[0] >= BACKLOG_EVERY:
        _known_backlog = (timezone.now(), backlog())
    return _known_backlog[1]


@cache
def _migrations() -> set[tuple[str, str]]:
    """App and name of each migration that this code has."""
    return set(MigrationLoader(None).graph.nodes)
