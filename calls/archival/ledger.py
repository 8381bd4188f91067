"""One row of archive_runs per run, correct at every moment, even after SIGKILL."""

import getpass
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connections
from django.utils import timezone

from calls.archival.models import ArchiveRun, RunKind, RunState
from calls.bulk_changes import bulk_change
from database.errors import optional_step
from tenancy import all_tenants

logger = logging.getLogger(__name__)

# Between two signs of life of a run that works without batches; far below HEARTBEAT_TIMEOUT.
HEARTBEAT_INTERVAL = 30.0  # seconds


def whoami() -> str:
    """Who or what starts a run from here: login@host and process."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        login = str(os.getuid())
    return f"{login}@{socket.gethostname()}, process {os.getpid()}"


def short(error: BaseException) -> str:
    """An error without the values that PostgreSQL quotes in its details: they are personal."""
    diagnosis = getattr(error.__cause__, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or str(error).split("\n", 1)[0]
    return f"{type(error).__name__}: {message}"


@contextmanager
def recorded(
    kind: RunKind,
    *,
    selection: str,
    started_by: str,
    phone_id: str | None = None,
    cut_off: datetime | None = None,
) -> Iterator[ArchiveRun]:
    """A run's row: running inside the block, then done, stopped (set by the block) or failed."""
    ArchiveRun.objects.stale(now=timezone.now()).update(state=RunState.INTERRUPTED)
    run = ArchiveRun(
        kind=kind, selection=selection, started_by=started_by, phone_id=phone_id, cut_off=cut_off
    )
    run.save(force_insert=True)
    with bulk_change(lambda: run.calls):
        try:
            yield run
        except BaseException as error:
            # Without a database the row stays at running, and later counts as interrupted.
            with optional_step(logger, f"The end of archive run {run.pk} was not recorded"):
                _end(run, RunState.FAILED, short(error))
            raise
        _end(run, RunState.DONE if run.state == RunState.RUNNING else RunState(run.state))


@contextmanager
def heartbeat(run: ArchiveRun) -> Iterator[None]:
    """Shows that the run is alive while its block does one thing that may take long.

    From a thread with a connection of its own: that of the block may be in a COPY.
    """
    ended = threading.Event()

    def beat() -> None:
        try:
            while not ended.wait(HEARTBEAT_INTERVAL):
                with (
                    optional_step(logger, f"The heartbeat of archive run {run.pk} failed"),
                    all_tenants("heartbeat of an archive run"),
                ):
                    ArchiveRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now())
        finally:
            connections.close_all()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _end(run: ArchiveRun, state: RunState, error: str = "") -> None:
    now = timezone.now()
    ArchiveRun.objects.filter(pk=run.pk).update(
        state=state,
        error=error,
        ended_at=now,
        heartbeat_at=now,
        left_live=run.left_live,
        left_held=run.left_held,
        remaining=run.remaining,
        sha256=run.sha256,
    )
    run.refresh_from_db()
