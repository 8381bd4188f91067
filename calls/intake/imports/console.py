"""What an import shows on a terminal: how far it is, what became of the rows, and Ctrl-C."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import Progress

from calls.intake.imports.formats import Source
from calls.intake.imports.importing import Counts

INTERRUPTED = 130  # what a shell says of a process that SIGINT ended


@contextmanager
def progress_of(source: Source) -> Iterator[Callable[[], None]]:
    """A bar by bytes on standard error, if that is a terminal; call what it yields to move it."""
    on_terminal = sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=not on_terminal) as bar:
        task = bar.add_task(source.name, total=source.size)
        yield lambda: bar.update(task, completed=source.position())


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """Ctrl-C becomes one line with the advice, and exit code 130.

    It may come in the middle of a message to PostgreSQL, where it is another error that ends the
    command, one about the state of the connection; Ctrl-C is then what that one followed from.
    """
    try:
        yield
    except BaseException as error:
        cause: BaseException | None = error
        while cause and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__context__
        if cause:
            raise CommandError(f"interrupted; {advice}", returncode=INTERRUPTED) from None
        raise


def report(counts: Counts, rejects: Path, *, dry_run: bool) -> str:
    archived = f" ({counts.archived} of them archived)" if counts.archived else ""
    lines = [
        f"read {counts.read}, loaded {counts.loaded}, updated {counts.updated},"
        f" already there {counts.already_there}{archived}, rejected {counts.rejected}"
    ]
    if dry_run:
        lines.append("Dry run: nothing was changed.")
    if counts.ignored_columns:
        names = ", ".join(map(repr, sorted(counts.ignored_columns)[:10]))
        lines.append(f"Columns that were ignored, since calls have none: {names}")
    if counts.rejected:
        lines.append(f"The rejected rows and the reasons: {rejects}")
    return "\n".join(lines)
