"""The rows of a file in chunks."""

import sqlite3
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from calls.intake.imports.leg_rows import Leg
from calls.intake.imports.record_fields import Rejected, call_sid_of
from calls.intake.imports.row_reader import RowReader
from calls.intake.imports.rows import Row
from calls.intake.imports.streams import Records, UnreadableFile

CHUNK_ROWS = 20_000
CHUNK_CHARACTERS = 16 * 1024 * 1024  # of free text, so that long transcripts make short chunks


@dataclass
class Chunk:
    rows: list[Row] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)  # rows of a call with an earlier row
    characters: int = 0

    def parts(self) -> list[list[Row]]:
        """The rows, in order, in parts that have each call once."""
        sids = [row.provider_sid() for row in self.rows]
        if len(set(sids)) == len(sids):
            return [self.rows]
        parts: list[list[Row]] = []
        times: Counter[str] = Counter()
        for row, sid in zip(self.rows, sids, strict=True):
            if times[sid] == len(parts):
                parts.append([])
            parts[times[sid]].append(row)
            times[sid] += 1
        return parts

    def take_legs(self, calls: dict[int, str]) -> None:
        """Make those rows, each with the SID of its call, legs."""
        if not calls:
            return
        for row in self.rows:
            if row.row in calls:
                try:
                    self.legs.append(row.as_leg(calls[row.row]))
                except Rejected as reason:
                    self.rejected.append((row.row, row.call_sid, str(reason)))
        self.rows = [row for row in self.rows if row.row not in calls]
        self.repeated -= calls.keys()

    def is_full(self) -> bool:
        rows = len(self.rows) + len(self.legs) + len(self.rejected)
        return rows >= CHUNK_ROWS or self.characters >= CHUNK_CHARACTERS


def prefetch(chunks: Iterator[Chunk]) -> Generator[Chunk, None, None]:
    """Reads the next chunk while PostgreSQL works on this one. Close it before what it reads."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, chunks, None)
        while chunk := coming.result():
            coming = thread.submit(next, chunks, None)
            yield chunk


def chunks_of(records: Records, reader: RowReader, seen: "SeenCalls") -> Iterator[Chunk]:
    chunk = Chunk()
    try:
        for number, record in records:
            try:
                row = reader.read(number, record)
            except Rejected as reason:
                chunk.rejected.append((number, call_sid_of(record), str(reason)))
            else:
                if isinstance(row, Leg):
                    chunk.legs.append(row)
                else:
                    chunk.rows.append(row)
                    chunk.characters += row.characters()
            if chunk.is_full():
                yield _with_repeated(chunk, seen)
                chunk = Chunk()
    except UnreadableFile:
        yield _with_repeated(chunk, seen)
        raise
    if chunk.rows or chunk.legs or chunk.rejected:
        yield _with_repeated(chunk, seen)


def _with_repeated(chunk: Chunk, seen: "SeenCalls") -> Chunk:
    met = seen.add([(row.call_sid, row.phone_id) for row in chunk.rows])
    chunk.repeated = {row.row for row, again in zip(chunk.rows, met, strict=True) if again}
    return chunk


class SeenCalls:
    """The calls seen so far and their lines, in a temporary file, so that memory stays flat."""

    def __init__(self) -> None:
        # Created in one thread and used in another, which Ctrl-C may leave running: closed with
        # its last reference.
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA cache_size = -16000")  # 16 MB
        self._file.execute(
            "CREATE TABLE seen (call_sid TEXT PRIMARY KEY, phone_id TEXT) WITHOUT ROWID"
        )

    def add(self, calls: list[tuple[str, str]]) -> list[bool]:
        """For each SID whether it was seen before, in this list or an earlier one."""
        insert = "INSERT OR IGNORE INTO seen VALUES (?, ?)"
        self._file.execute("BEGIN")
        if self._file.executemany(insert, sorted(calls)).rowcount == len(calls):
            self._file.execute("COMMIT")
            return [False] * len(calls)
        self._file.execute("ROLLBACK")
        return [self._file.execute(insert, call).rowcount == 0 for call in calls]

    def line_of(self, call_sid: str) -> str | None:
        """The line of the first row of a call."""
        found = self._file.execute("SELECT phone_id FROM seen WHERE call_sid = ?", (call_sid,))
        return next((phone_id for (phone_id,) in found), None)
