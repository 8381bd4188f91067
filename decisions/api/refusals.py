"""What the API refuses of stored settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from api.errors import Conflict
from decisions.unreadable_rules import unreadable_rules


@contextmanager
def refuse_unreadable_rules(settings: Mapping[str, Any]) -> Iterator[None]:
    """Raises Conflict where the block fails for conditions that SQL wrote past their schema."""
    try:
        yield
    except Exception:
        if not (faulty := unreadable_rules(settings)):
            raise
        ids = ", ".join(rule["id"] for rule in faulty)
        raise Conflict(
            f"Correct or delete the rules {ids}: their conditions are not valid."
        ) from None
