"""Ctrl-C and SIGTERM in management commands."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import CommandError

# A shell's exit codes for a process ended by SIGINT or SIGTERM.
INTERRUPTED = 130
TERMINATED = 143


class StopRequest:
    """Whether a signal asked to stop: call it to know."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        return INTERRUPTED if self.signal == signal.SIGINT else TERMINATED


@contextmanager
def stop_requested() -> Iterator[StopRequest]:
    """For work in batches: SIGINT and SIGTERM only set what the yielded object answers."""
    request = StopRequest()

    def note(signum: int, _: FrameType | None) -> None:
        request.signal = signum

    previous = {which: signal.signal(which, note) for which in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for which, handler in previous.items():
            signal.signal(which, handler)


def was_interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C is the cause of it.

    In the middle of a message to PostgreSQL it ends the command with another error, about the
    state of the connection, which has the KeyboardInterrupt among its causes.
    """
    cause: BaseException | None = error
    while cause and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__context__
    return cause is not None


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """For work that may end anywhere: turns Ctrl-C into one line with the advice."""
    try:
        yield
    except BaseException as error:
        if was_interrupted(error):
            raise CommandError(f"interrupted; {advice}", returncode=INTERRUPTED) from None
        raise
