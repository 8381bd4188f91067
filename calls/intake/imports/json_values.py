"""Reads one JSON value of a file: numbers exactly, and what cannot be kept as Rejected."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from calls.intake.imports.record_fields import Rejected, shown
from database.exact_json import fraction, integer


def unrepeated(pairs: list[tuple[str, Any]]) -> Any:
    """An object, or Rejected when a name is in it twice: it is unknown which value was meant."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    [twice, *_] = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    return Rejected(f"{shown(twice)} appears twice in one object; remove one of them")


def _fraction(text: str) -> Decimal | Rejected:
    try:
        return fraction(text)
    except ValueError as error:
        return Rejected(f"{error}; shorten it")


def _integer(text: str) -> int | Rejected:
    try:
        return integer(text)
    except ValueError as error:
        return Rejected(f"{error}; shorten it")


# The file goes on after such a value: only the call that has it is rejected.
DECODER = json.JSONDecoder(
    strict=False,
    object_pairs_hook=unrepeated,
    parse_float=_fraction,
    parse_int=_integer,
)
