"""Announces that many calls were imported or moved, to the rooms above this one."""

from django.dispatch import Signal

# Sent when the command or job has committed all it did. A receiver that fails undoes nothing.
bulk_change_ended = Signal()
