"""The output and errors of the archiver's commands."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from backoffice.display import plural
from calls.archival import batches, ledger
from calls.archival.columns import ArchiveMismatch
from calls.archival.cutoff import BadCutOff
from calls.archival.files import BadFile
from calls.archival.models import ArchiveRun, RunState
from console.interrupts import StopRequest
from database.errors import is_refusal, is_unavailable


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns expected errors into one line and a non-zero exit code; defects pass through."""
    try:
        yield
    except (ArchiveMismatch, BadCutOff, BadFile, batches.RowsDiffer) as error:
        raise CommandError(str(error)) from None
    except DatabaseError as error:
        reason = f"{ledger.short(error).rstrip('.')}."
        if is_unavailable(error):
            reason = f"{reason} Committed batches stand; run the command again to continue."
        elif not is_refusal(error):
            raise
        raise CommandError(reason) from None
    except OSError as error:
        raise CommandError(f"{error.filename or 'The file'}: {error.strerror}") from None


def summary(run: ArchiveRun, verb: str) -> str:
    seconds = max(run.duration.total_seconds(), 0.001)
    return (
        f"{verb} {plural(run.calls, 'call')} and {plural(run.metadata_rows, 'metadata row')}"
        f" ({run.bytes:,} bytes, checksum {run.checksum & (2**64 - 1):016x})"
        f" in {seconds:.1f} s, {run.calls / seconds:,.0f} per second; run {run.pk}."
    )


def fail_if_stopped(run: ArchiveRun, request: StopRequest) -> None:
    if run.state == RunState.STOPPED:
        raise CommandError(
            f"Stopped by a signal after {plural(run.calls, 'call')};"
            " run the command again to continue.",
            returncode=request.exit_code,
        )
