"""JSON whose numbers are kept as they were written: jsonb holds any decimal, a float does not.

A fraction is read as a Decimal and written with the digits that jsonb writes: 1.10 stays 1.10, and
1e400 becomes a one and 400 zeros.
"""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django.db import models

# Digits of a number from outside. jsonb holds more, but six characters such as 1e9999 would become
# thousands: this bounds what a short text can grow to.
MAX_DIGITS = 1_000
TOO_LONG = f"a number has more than {MAX_DIGITS:,} digits"
# PostgreSQL may hold more digits than int() reads; Decimal reads any.
MAX_INT_DIGITS = 4_000


def fraction(text: str) -> Decimal:
    """A number from outside, for parse_float. Raises ValueError."""
    try:
        exact = Decimal(text)
    except InvalidOperation:  # an exponent of 19 digits
        raise ValueError(TOO_LONG) from None
    _, digits, exponent = exact.as_tuple()
    assert isinstance(exponent, int)  # JSON has neither NaN nor Infinity
    if max(len(digits), abs(exponent), abs(len(digits) + exponent)) > MAX_DIGITS:
        raise ValueError(TOO_LONG)
    return exact


def integer(text: str) -> int:
    """A whole number from outside, for parse_int. Raises ValueError."""
    if len(text) > MAX_DIGITS:
        raise ValueError(TOO_LONG)
    return int(text)


class ExactDecoder(json.JSONDecoder):
    """Reads what PostgreSQL holds, whatever its length."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"parse_float": Decimal, "parse_int": _any_integer, **options})


class _HasDecimal(Exception):
    """json itself would have to write a Decimal."""


class ExactEncoder(json.JSONEncoder):
    """Writes a Decimal as a number, and all else as json does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        given = self.default

        def default(value: Any) -> Any:
            if isinstance(value, Decimal):
                raise _HasDecimal
            return given(value)

        self.default = default  # type: ignore[assignment]

    def encode(self, o: Any) -> str:
        try:
            # Without a Decimal json's own C code writes the same, some fifteen times as fast.
            return "".join(super().iterencode(o, _one_shot=True))
        except (_HasDecimal, TypeError):  # or a key of another type
            return "".join(self._pieces(o, "\n"))

    def iterencode(self, o: Any, _one_shot: bool = False) -> Iterator[str]:
        return self._pieces(o, "\n")

    def _pieces(self, value: Any, line: str) -> Iterator[str]:
        if isinstance(value, Decimal):
            yield format(value, "f")
        elif isinstance(value, dict):
            pairs = ((self._scalar(str(name)), each) for name, each in value.items())
            yield from self._items(
                "{}", sorted(pairs, key=_name) if self.sort_keys else pairs, line
            )
        elif isinstance(value, list | tuple):
            yield from self._items("[]", ((None, each) for each in value), line)
        elif value is None or isinstance(value, str | int | float):
            yield self._scalar(value)
        else:
            yield from self._pieces(self.default(value), line)

    def _items(
        self, brackets: str, items: Iterable[tuple[str | None, Any]], line: str
    ) -> Iterator[str]:
        inner = line + " " * int(self.indent or 0)
        before = brackets[0] if self.indent is None else brackets[0] + inner
        between = self.item_separator if self.indent is None else self.item_separator + inner
        is_empty = True
        for name, each in items:
            yield before if is_empty else between
            is_empty = False
            if name is not None:
                yield name + self.key_separator
            yield from self._pieces(each, inner)
        if is_empty:
            yield brackets
        else:
            yield brackets[1] if self.indent is None else line + brackets[1]

    def _scalar(self, value: Any) -> str:
        return "".join(super().iterencode(value, _one_shot=True))


# dumps() and loads() of json, exactly.
dumps = partial(json.dumps, cls=ExactEncoder)
loads = partial(json.loads, cls=ExactDecoder)


class ExactJSONField(models.JSONField):
    """A jsonb column whose numbers Python reads and writes exactly."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "encoder": ExactEncoder, "decoder": ExactDecoder})

    def deconstruct(self) -> Any:
        """As the plain column that it is in the database."""
        name, _, args, options = super().deconstruct()
        for read_in_python in ("encoder", "decoder"):
            del options[read_in_python]
        return name, "django.db.models.JSONField", args, options


def _any_integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= MAX_INT_DIGITS else Decimal(text)


def _name(item: tuple[str | None, Any]) -> str:
    return item[0] or ""
