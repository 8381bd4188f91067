"""What an import shows on a terminal: how far it is, and what became of the rows."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from calls.intake.formats import Source
from calls.intake.importing import Counts


@contextmanager
def progress_of(source: Source) -> Iterator[Callable[[], None]]:
    """A bar by bytes on standard error, if that is a terminal; call what it yields to move it."""
    on_terminal = sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=not on_terminal) as bar:
        task = bar.add_task(source.name, total=source.size)
        yield lambda: bar.update(task, completed=source.position())


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
