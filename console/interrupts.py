"""Ctrl-C and SIGTERM in management commands."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import CommandError

# A shell's exit codes for a process ended by SIGINT or SIGTERM.
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
    """For work that may end anywhere: turns Ctrl-C into one line with the advice.

    Ctrl-C in the middle of a message to PostgreSQL ends the command with another error, about the
    state of the connection, which has the KeyboardInterrupt among its causes.
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
