"""Request bodies: JSON that PostgreSQL can store, of bounded size."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from api.errors import BodyTooLarge, Invalid
from database.exact_json import fraction, integer

MAX_DEPTH = 32  # objects and arrays inside each other
# Of the control characters, text has tab, line feed and carriage return. Half a surrogate pair is
# no character at all.
# The first as JSON Schema has it: half of a surrogate pair cannot be written there.
_CONTROLS = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f"
NO_CONTROLS = rf"^[^{_CONTROLS}]*$"
# The same, and at least one character that is not white space.
NOT_BLANK = rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """Strict JSON (RFC 8259): no NaN, no duplicate names; of bounded size and depth."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        assert parser_context is not None
        largest = parser_context["view"].largest_body
        body = stream.read(largest + 1)
        if len(body) > largest:
            raise BodyTooLarge(largest)
        try:
            data = read_json(body.decode())
        except RecursionError:
            raise ParseError(f"JSON may be nested at most {MAX_DEPTH} levels deep.") from None
        except ValueError as error:
            raise ParseError(f"Invalid JSON: {error}"[:200]) from None
        refuse_what_is_no_text(data)
        return data


class MergePatchParser(StrictJSONParser):
    """https://www.rfc-editor.org/rfc/rfc7396"""

    media_type = "application/merge-patch+json"


def read_json(text: str) -> Any:
    """Fractions are Decimals. Raises ValueError, or RecursionError when nested too deeply."""
    # strict=False: a raw control character gets the same answer as an escaped one.
    return json.loads(
        text,
        strict=False,
        object_pairs_hook=_once_each,
        parse_constant=_no_number,
        parse_float=fraction,
        parse_int=integer,
    )


def refuse_what_is_no_text(data: Any) -> None:
    """Raises Invalid for control characters and ParseError for what is nested too deeply."""
    errors = [
        {
            "pointer": pointer,
            "detail": "Text must not contain control characters or unpaired surrogates.",
        }
        for pointer, text in _texts(data, "#", 0)
        if NOT_TEXT.search(text)
    ]
    if errors:
        raise Invalid(errors[:20])


def _texts(data: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield pointer, data
    elif isinstance(data, dict | list):
        if depth == MAX_DEPTH:
            raise ParseError(f"JSON may be nested at most {MAX_DEPTH} levels deep.")
        if isinstance(data, dict):
            for name, value in data.items():
                yield pointer, name
                yield from _texts(value, f"{pointer}/{_escaped(name)}", depth + 1)
        else:
            for index, value in enumerate(data):
                yield from _texts(value, f"{pointer}/{index}", depth + 1)


def _escaped(name: str) -> str:
    """A name as part of a JSON Pointer; ASCII, since it may not be valid text."""
    return ascii(name)[1:-1].replace("~", "~0").replace("/", "~1")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("an object has a duplicate name")
    return named


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
