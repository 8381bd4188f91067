"""The legs of a file: recorded under their calls when those are loaded, or kept until they are."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from calls.intake.imports.chunks import SeenCalls
from calls.intake.imports.leg_rows import Leg
from calls.intake.imports.streams import UnreadableFile
from calls.intake.imports.waiting import LOCK_CALLS, give_waiting_events
from calls.intake.models import EventOutcome
from tenancy import all_tenants

BATCH_ROWS = 100  # of one transaction, which holds locks of each leg and of its call

KEEP = """
SELECT l.leg_sid, app.keep_file_leg(l.call_sid, l.phone_id, l.file_line, l.payload, l.parsed,
    %(kept)s::text[], %(writes)s)
FROM jsonb_to_recordset(%(legs)s) AS l (call_sid text, phone_id text, leg_sid text,
    file_line text, payload jsonb, parsed jsonb)
"""
# The results of a leg, of which a file may have several states: the last of these counts.
RESULTS = ("waiting", "unchanged", "recorded")

# The call of a leg whose parent is a leg of the file itself.
CALL_OF_PARENT = """
WITH RECURSIVE ancestors (sid) AS (
    SELECT ? UNION SELECT l.call_sid FROM ancestors a JOIN legs l ON l.leg_sid = a.sid
)
SELECT sid FROM ancestors WHERE NOT EXISTS (SELECT 1 FROM legs WHERE leg_sid = sid) LIMIT 1
"""


@dataclass
class LegCounts:
    """Legs, each counted once: recorded is new or changed, waiting is without a known call."""

    recorded: int = 0
    unchanged: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.recorded + self.unchanged + self.waiting


class FileLegs:
    """The legs of a file, in a temporary file until its calls are loaded; memory stays flat."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA cache_size = -16000")  # 16 MB
        self._file.execute(
            "CREATE TABLE legs (number INTEGER PRIMARY KEY, leg_sid TEXT, call_sid TEXT, leg TEXT)"
        )
        self._file.execute("CREATE INDEX legs_sid ON legs (leg_sid)")
        self._file.execute(
            "CREATE TABLE results (leg_sid TEXT PRIMARY KEY, result INTEGER) WITHOUT ROWID"
        )

    def add(self, legs: Iterable[Leg]) -> None:
        self._file.executemany(
            "INSERT INTO legs (leg_sid, call_sid, leg) VALUES (?, ?, ?)",
            ((leg.leg_sid, leg.call_sid, json.dumps(leg)) for leg in legs),
        )

    def batches(self) -> Iterator[list[Leg]]:
        """The legs, each with the call of which its parent is or has a leg."""
        page = "SELECT number, leg FROM legs WHERE number > ? ORDER BY number LIMIT ?"
        number = 0
        while rows := self._file.execute(page, (number, BATCH_ROWS)).fetchall():
            number = rows[-1][0]
            yield [self._of_its_call(Leg(*json.loads(text))) for _, text in rows]

    def _of_its_call(self, leg: Leg) -> Leg:
        found = self._file.execute(CALL_OF_PARENT, (leg.call_sid,)).fetchone()
        if found is None or found[0] == leg.call_sid:
            return leg
        return leg._replace(call_sid=found[0], payload={**leg.payload, "ParentCallSid": found[0]})

    def note(self, results: Iterable[tuple[str, str]]) -> None:
        """The result of each leg SID."""
        self._file.executemany(
            "INSERT INTO results VALUES (?, ?) ON CONFLICT (leg_sid)"
            " DO UPDATE SET result = max(result, excluded.result)",
            ((leg_sid, RESULTS.index(result)) for leg_sid, result in results),
        )

    def count(self, counts: LegCounts) -> None:
        found = self._file.execute("SELECT result, count(*) FROM results GROUP BY result")
        for result, number in found:
            setattr(counts, RESULTS[result], number)


@contextmanager
def keeping_legs(
    counts: LegCounts, seen: SeenCalls | None = None, *, kept: Sequence[EventOutcome]
) -> Iterator[FileLegs]:
    """Takes the legs of a file and records them at the end, also where it cannot be read further.

    What waited in the inbox for the calls of the file is recorded too; counts has the results of
    both. kept are the outcomes of legs that the inbox keeps. With `seen`, the calls that a dry run
    has read, nothing is locked or written, and the counts are what they would be. Outside of a
    transaction.
    """
    legs = FileLegs()
    damage: UnreadableFile | None = None
    try:
        yield legs
    except UnreadableFile as error:
        damage = error
    with all_tenants("legs of a file"):
        legs.note((leg_sid, "recorded") for leg_sid in give_waiting_events(seen))
        for batch in legs.batches():
            legs.note(_keep(batch, seen, kept))
    legs.count(counts)
    if damage is not None:
        raise damage


def _keep(
    batch: list[Leg], seen: SeenCalls | None, kept: Sequence[EventOutcome]
) -> list[tuple[str, str]]:
    given = [_as_json(leg, seen) for leg in batch]
    values: dict[str, Any] = {"legs": Jsonb(given), "kept": kept, "writes": seen is None}
    with transaction.atomic(), connection.cursor() as cursor:
        if seen is None:
            sids = {sid for leg in batch for sid in (leg.call_sid, leg.leg_sid)}
            cursor.execute(LOCK_CALLS, [list(sids)])
        cursor.execute(KEEP, values)
        results: list[tuple[str, str]] = cursor.fetchall()
    return results


def _as_json(leg: Leg, seen: SeenCalls | None) -> dict[str, Any]:
    return leg._asdict() | {"file_line": seen and seen.line_of(leg.call_sid)}
