"""A month of the archive as a file: CSV with a header, gzip, and its SHA-256 beside it.

CSV as COPY writes it, rather than Parquet: every type comes back exactly as it was (microseconds,
numeric scale, JSON, NULL apart from ''), it streams in constant memory, any tool of any year reads
it, and it needs no dependency of 100 MB. Parquet would be smaller; nobody queries these files.
"""

import csv
import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db.backends.utils import CursorWrapper

from calls.archival import batches

# Text that does not depend on a session's settings.
PLAIN = "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true)"
ARRIVING = """
DROP TABLE IF EXISTS pg_temp.arriving;
CREATE TEMPORARY TABLE arriving (LIKE public.calls_archive INCLUDING DEFAULTS) ON COMMIT DROP
"""
FILL = "COPY arriving ({columns}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')"
COUNT_ARRIVING = f"SELECT count(*), {batches.CHECKSUM.format(row='arriving')} FROM arriving"
CHUNK = 1 << 20  # bytes


class BadFile(Exception):
    """The file cannot be used; the message says what to do."""


def digest(path: Path) -> str:
    """SHA-256 of what is on the disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_path(path: Path) -> Path:
    """The digest's file, in the format that `sha256sum --check` reads."""
    return path.with_name(path.name + ".sha256")


def write(cursor: CursorWrapper, query: str, path: Path) -> None:
    """Write the rows of a query, whole or not at all, readable by the owner alone."""
    cursor.execute(PLAIN)
    part = path.with_name(path.name + ".part")
    copy = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with (
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed,
            cursor.copy(copy) as rows,
        ):
            for row in rows:
                packed.write(row)
        raw.flush()
        os.fsync(raw.fileno())
    part.replace(path)
    sync_directory(path)


def write_digest(path: Path, sha256: str) -> None:
    target = digest_path(path)
    part = target.with_name(target.name + ".part")
    with part.open("w") as file:
        file.write(f"{sha256}  {path.name}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
    sync_directory(path)


def sync_directory(path: Path) -> None:
    """Make a renamed file's name survive a crash too."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(cursor: CursorWrapper, path: Path) -> tuple[int, int]:
    """Fill the temporary table `arriving`, which has the archive's columns, from a file.

    Returns how many calls it holds and their checksum. A column missing from the file gets its
    default. Raises BadFile. Needs a transaction.
    """
    with _opened(cursor, path) as (file, header):
        cursor.execute(ARRIVING)
        with cursor.copy(FILL.format(columns=batches.names(header))) as rows:
            while chunk := file.read(CHUNK):
                rows.write(chunk)
    cursor.execute(COUNT_ARRIVING)
    calls, checksum = cursor.fetchone()
    return calls, checksum


class Records:
    """The rows of a file in batches: rows given by take() are kept until done() confirms them."""

    def __init__(self, file: gzip.GzipFile, header: list[str]) -> None:
        self._file = file
        self._copy = FILL.format(columns=batches.names(header))
        self._waiting: list[bytes] = []
        self._taken = 0

    def take(self, cursor: CursorWrapper, max_rows: int) -> int:
        """Fill `arriving` with at most max_rows rows; returns how many. Needs a transaction."""
        while len(self._waiting) < max_rows and (record := _record(self._file)):
            self._waiting.append(record)
        taken = self._waiting[:max_rows]
        self._taken = len(taken)
        cursor.execute(ARRIVING)
        with cursor.copy(self._copy) as rows:
            rows.write(b"".join(taken))
        return self._taken

    def done(self) -> None:
        del self._waiting[: self._taken]
        self._taken = 0


@contextmanager
def records(cursor: CursorWrapper, path: Path) -> Iterator[Records]:
    """Raises BadFile, also inside the block."""
    with _opened(cursor, path) as (file, header):
        yield Records(file, header)


@contextmanager
def _opened(cursor: CursorWrapper, path: Path) -> Iterator[tuple[gzip.GzipFile, list[str]]]:
    """A file after its header, and the header, whose columns are the archive's."""
    try:
        with gzip.open(path, "rb") as file:
            header = next(csv.reader(io.StringIO(file.readline().decode())), [])
            cursor.execute("SELECT * FROM calls_archive LIMIT 0")
            known = [column.name for column in cursor.description or ()]
            if not header or not set(header) <= set(known):
                raise BadFile(
                    f"{path} is not an exported month: expected columns of calls_archive"
                )
            yield file, header
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is damaged: {error}") from None


def _record(file: gzip.GzipFile) -> bytes:
    """The next row as COPY wrote it, b"" at the end; a quoted line break does not end a row.

    The csv module would read NULL and '' as one and the same.
    """
    lines = [line := file.readline()]
    inside = line.count(b'"') % 2
    while inside:
        if not (line := file.readline()):
            raise EOFError("the file ends within a row")
        lines.append(line)
        inside ^= line.count(b'"') % 2
    return b"".join(lines)
