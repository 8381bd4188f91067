"""Calls in JSON: Twilio's pages and lists, and JSON lines."""

from typing import Any, TextIO

from calls.intake.imports import streams
from calls.intake.imports.json_values import DECODER, unrepeated
from calls.intake.imports.record_fields import Rejected
from calls.intake.imports.streams import Records, UnreadableFile, lines_of

MORE_PAGES = (
    "The last page names another one in next_page_uri: more calls exist than this file has."
    " Fetch that page and import it too, or run reconcile_calls."
)


def read_json(head: str, stream: TextIO, warnings: list[str]) -> Records:
    text = JsonText(head, stream)
    yield from text.records()
    if text.names_next_page:
        warnings.append(MORE_PAGES)


def read_json_lines(head: str, stream: TextIO, warnings: list[str]) -> Records:
    for row, line in enumerate(lines_of(head, stream), 1):
        if not line.strip():
            continue
        try:
            record = DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "invalid value")
            if len(line) >= streams.MAX_RECORD_LENGTH:
                reason = f"more than {streams.MAX_RECORD_LENGTH} characters"
            record = Rejected(f"not a JSON object on one line ({reason}); correct it")
        yield row, record


class JsonText:
    """A window on a JSON text of any length.

    names_next_page is whether the page read last has a next one.
    """

    def __init__(self, head: str, stream: TextIO) -> None:
        self._stream = stream
        self._text = head
        self._at = 0
        self._rows = 0
        self._decode = DECODER.raw_decode
        self.names_next_page = False

    def records(self) -> Records:
        """Every element of every list, and every object that is not a page of a list."""
        while char := self._peek():
            if char == "[":
                yield from self._list()
            elif char == "{":
                yield from self._object()
            else:
                raise self._damaged("unexpected text between two lists")

    def _list(self) -> Records:
        self._take("[")
        while self._peek() != "]":
            self._rows += 1
            yield self._rows, self._value()
            if self._peek() != "]":
                self._take(",")
        self._take("]")

    def _object(self) -> Records:
        """A page is read key by key, since its list of calls may be of any length."""
        self._take("{")
        pairs: list[tuple[Any, Any]] = []
        is_page = False
        while self._peek() != "}":
            key = self._value()
            self._take(":")
            if key == "calls" and self._peek() == "[":
                is_page = True
                yield from self._list()
            else:
                pairs.append((key, self._value()))
            if self._peek() != "}":
                self._take(",")
        self._take("}")
        if is_page:
            self.names_next_page = bool(dict(pairs).get("next_page_uri"))
        else:
            self._rows += 1
            yield self._rows, unrepeated(pairs)

    def _peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in " \t\r\n":
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._read_on():
                return ""

    def _take(self, char: str) -> None:
        if (found := self._peek()) != char:
            raise self._damaged(
                f"expected {char!r}, found {found!r}" if found else "unexpected end"
            )
        self._at += 1

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                reason = getattr(error, "msg", "invalid value")
                if len(self._text) - self._at > streams.MAX_RECORD_LENGTH:
                    reason = f"{reason}, or more than {streams.MAX_RECORD_LENGTH} characters"
                elif self._read_on():
                    continue
                raise self._damaged(reason) from None
            if end == len(self._text) and self._read_on():
                continue  # a number may go on in the next piece
            self._at = end
            return value

    def _read_on(self) -> bool:
        """Read another piece; False at the end. Pieces grow: long values are not re-read often."""
        waiting = self._text[self._at :]
        piece = self._stream.read(max(streams.PIECE, len(waiting)))
        self._text, self._at = waiting + piece, 0
        return bool(piece)

    def _damaged(self, reason: str) -> UnreadableFile:
        return UnreadableFile(
            f"the JSON is damaged or incomplete at call {self._rows or 1}: {reason}."
            " The calls before it were read; repair or download the file, then import it again"
        )
