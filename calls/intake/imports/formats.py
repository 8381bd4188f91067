"""The file formats of calls, read as a stream: memory does not grow with the file.

- twilio-json: Twilio's Calls list resource, {"calls": [...]}, several such pages, or a bare list
- csv: the call log that Twilio's console exports, or our own export of calls
- jsonl: one JSON object per line, with our columns or with Twilio's (as its BulkExport writes)

Each may be gzipped, and in UTF-8 or UTF-16.
"""

import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from calls.intake.imports.csv_files import DELIMITER_LINE, read_csv, read_header
from calls.intake.imports.json_files import read_json, read_json_lines
from calls.intake.imports.streams import Records, UnreadableFile

HEAD = 64 * 1024  # characters from which the format is detected
GZIP_MAGIC = b"\x1f\x8b"

READERS: dict[str, Callable[[str, TextIO, list[str]], Records]] = {
    "twilio-json": read_json,
    "csv": read_csv,
    "jsonl": read_json_lines,
}


@dataclass(frozen=True)
class Source:
    """An open file of calls. size and what position() returns are bytes of the file itself."""

    name: str
    file_format: str
    records: Records
    size: int | None  # None for a pipe, which also has no position
    position: Callable[[], int]
    warnings: list[str] = field(default_factory=list)  # complete when the records were read


@contextmanager
def open_source(path: str, *, file_format: str | None = None) -> Iterator[Source]:
    """Open a file, or standard input for "-", in the format detected from its content.

    Raises UnreadableFile, as does going through the records.
    """
    name = "standard input" if path == "-" else path
    with ExitStack() as stack:
        with _reporting(name):
            raw = sys.stdin.buffer if path == "-" else stack.enter_context(Path(path).open("rb"))
            is_file = path != "-" and Path(path).is_file()
            text = _as_text(cast(io.BufferedReader, raw))
            head = text.read(HEAD)
            found = file_format or _detect(head, name)
            warnings: list[str] = []
            records = READERS[found](head, text, warnings)
        yield Source(
            name=name,
            file_format=found,
            records=_reported(records, name),
            size=Path(path).stat().st_size if is_file else None,
            position=raw.tell if is_file else lambda: 0,
            warnings=warnings,
        )


def _as_text(raw: io.BufferedReader) -> TextIO:
    binary = gzip.GzipFile(fileobj=raw) if raw.peek(2).startswith(GZIP_MAGIC) else raw
    encoding = _encoding(binary.peek(4))
    # Text that is not in the encoding spoils its own row, not the whole file: see rows.py.
    errors = "surrogateescape" if encoding == "utf-8-sig" else "surrogatepass"
    return io.TextIOWrapper(cast(BinaryIO, binary), encoding=encoding, errors=errors, newline="")


def _encoding(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Without the mark: every second byte of ASCII characters is a zero.
    zeros = [byte == 0 for byte in start[:4]]
    if zeros == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False, True, False] else "utf-8-sig"


@contextmanager
def _reporting(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnreadableFile(
            f"{name}: the gzip file is damaged or incomplete; download it again"
        ) from None
    except UnicodeDecodeError:
        raise UnreadableFile(
            f"{name} is not UTF-16 from a certain place on; save it as UTF-8"
        ) from None
    except OSError as error:
        raise UnreadableFile(f"{name} cannot be read: {error.strerror}") from None


def _reported(records: Records, name: str) -> Records:
    with _reporting(name):
        yield from records


def _detect(head: str, name: str) -> str:
    """The format of a file that begins with head."""
    start = head.lstrip()
    if not start:
        raise UnreadableFile(f"{name} is empty; export the calls again")
    first, _, more = start.partition("\n")
    if DELIMITER_LINE.fullmatch(first):
        return "csv"
    if start[0] == "[":
        return "twilio-json"
    if start[0] == "{":
        return _detect_json(first.rstrip(), is_whole=bool(more))
    if read_header(first).columns:
        return "csv"
    raise UnreadableFile(
        f"{name} is neither JSON nor a CSV call log in UTF-8 or UTF-16; see --help for the formats"
    )


def _detect_json(first: str, *, is_whole: bool) -> str:
    """From the first line, or as much of it as was read."""
    if re.search(r'"calls"\s*:\s*\[', first):
        return "twilio-json"
    return "jsonl" if first.endswith("}") or not is_whole else "twilio-json"
