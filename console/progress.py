"""Progress bars of management commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress_bar(
    description: str, *, total: int | None, count: bool = True, enabled: bool = True
) -> Iterator[Callable[..., Any]]:
    """A bar on standard error if that is a terminal, else nothing.

    The yielded function is rich's Progress.update() for it: advance=, completed=, description=.
    count shows "12/345", which is not useful for bytes.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn() if count else TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not (enabled and console.is_terminal)) as bar:
        task = bar.add_task(description, total=total)

        def update(**changes: Any) -> None:
            bar.update(task, **changes)

        yield update
