"""Ctrl-C and SIGTERM in management commands."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import CommandError

# Exit codes of a shell for a process that SIGINT or SIGTERM ended.
INTERRUPTED = 130
TERMINATED = 143


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """For work in batches: the signals only set what the yielded function returns."""
    received: list[int] = []

    def note(signum: int, _: FrameType | None) -> None:
        received.append(signum)

    previous = {which: signal.signal(which, note) for which in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(received)
    finally:
        for which, handler in previous.items():
            signal.signal(which, handler)


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """For work that may end anywhere: Ctrl-C becomes one line with the advice.

    It may come in the middle of a message to PostgreSQL, where it is another error that ends the
    command, one about the state of the connection; Ctrl-C is then among that error's causes.
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
