"""Rows that the admin refuses to delete, declared on their model as `held_rows`."""

from dataclasses import dataclass

from django.db.models import Q


@dataclass(frozen=True)
class HeldRows:
    """`reason` follows "12 calls", as in "12 calls under legal hold"."""

    condition: Q
    reason: str
