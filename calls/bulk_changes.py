"""Announces that many calls were imported or moved, to the rooms above this one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.dispatch import Signal

# Sent when the command or job has ended, also early. A receiver that fails undoes nothing.
bulk_change_ended = Signal()


@contextmanager
def bulk_change(has_changed: Callable[[], object]) -> Iterator[None]:
    """Announces the end of its block, whichever way, if anything was committed by then."""
    try:
        yield
    finally:
        if has_changed():
            bulk_change_ended.send_robust(sender=None)
