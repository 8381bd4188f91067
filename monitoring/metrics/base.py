"""What a metric is: a query, how its rows are judged, and what to do about the bad ones."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError, transaction

from monitoring.accepted import ACCEPTED
from monitoring.findings import Finding, Item, Level, worst
from monitoring.server import SEE_ALL, Row, Server, rows
from tenancy import no_tenant

LISTED = 20  # items of a finding


class Skipped(Exception):
    """Raised by a metric that cannot look; the message is the reason."""


class Unknown(Exception):
    """Raised by a metric that looked and cannot tell; the message is the reason."""


class Metric:
    """One thing worth knowing about a database.

    The query's rows have the columns `subject` and `value`; `says` and `fix` are templates over
    all of them. A row is as bad as its value (None: unknown), unless it has a column `level`; a
    column `says` replaces the template. Thresholds are in `unit`; both None: nothing is ever wrong
    here, it is good to know.
    """

    group: ClassVar[str]
    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    sql: ClassVar[str]
    says: ClassVar[str]
    fix: ClassVar[str] = ""
    unit: ClassVar[str] = ""
    warning: ClassVar[float | None] = None
    critical: ClassVar[float | None] = None
    falling: ClassVar[bool] = False  # a low value is the bad one
    shows_good: ClassVar[bool] = False  # list what is ok too: of single values
    empty: ClassVar[str] = ""  # why nothing was looked at when there are no rows
    needs_extension: ClassVar[str] = ""
    needs_table: ClassVar[str] = ""
    needs_sight: ClassVar[bool] = False  # of what other logins do
    sees_own: ClassVar[bool] = False  # without it, the serving login at least sees itself
    needs_old_counters: ClassVar[bool] = False  # of MONITORING_STATISTICS_DAYS
    counts: ClassVar[bool] = False  # counters since some moment, not the state of now
    costly: ClassVar[bool] = False  # reads tables: the schedule runs it every few hours

    def thresholds(self) -> tuple[float | None, float | None]:
        """Warning and critical: the operator's, or our own."""
        own: tuple[float | None, float | None] | None = settings.MONITORING_THRESHOLDS.get(
            self.name
        )
        return own or (self.warning, self.critical)

    def parameters(self, server: Server) -> Mapping[str, Any]:
        """Those of the query."""
        return {}

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        """What is to be judged. Raises Skipped and Unknown."""
        return rows(cursor, self.sql, {"version": server.version, **self.parameters(server)})

    def since(self, found: list[Row], server: Server) -> datetime | None:
        """What the numbers have counted since; None: they are of now."""
        return server.counted_since if self.counts else None

    def find(self, cursor: Any, server: Server) -> Finding:
        """Run the query in a savepoint and judge its rows; never raises DatabaseError."""
        began = perf_counter()
        items: list[Item] = []
        reason, level, since = "", Level.OK, None
        try:
            self._check(cursor, server)
            found = self._look(cursor, server)
            if self.empty and not found:
                raise Skipped(self.empty)
            items = [self._judge(row) for row in found]
            level, since = worst([item.level for item in items]), self.since(found, server)
        except Skipped as skipped:
            level, reason = Level.SKIPPED, str(skipped)
        except Unknown as unknown:
            level, reason = Level.UNKNOWN, str(unknown)
        except DatabaseError as error:
            level, reason = Level.UNKNOWN, f"the query failed: {_short(error)}"
        if self.needs_sight and not server.sees_all and level is Level.OK:
            level, reason = Level.SKIPPED, SEE_ALL.format(login=server.login)
        listed = sorted(
            (i for i in items if self.shows_good or i.accepted or i.level is not Level.OK),
            key=lambda item: item.level.badness,
            reverse=True,
        )
        return Finding(
            metric=self.name,
            group=self.group,
            label=self.label,
            help=self.help,
            level=level,
            threshold=self.threshold(),
            query=" ".join(self.sql.split()),
            items=listed[:LISTED],
            count=len(listed),
            value=self._worst_value(items),
            reason=reason,
            since=since,
            taken_at=server.now,
            milliseconds=round((perf_counter() - began) * 1000, 1),
        )

    def threshold(self) -> str:
        """For people: "warning from 70 %, critical from 85 %"."""
        from_ = "below" if self.falling else "from"
        return ", ".join(
            f"{level} {from_} {_plain(limit)} {self.unit}".strip()
            for level, limit in zip(
                (Level.WARNING, Level.CRITICAL), self.thresholds(), strict=True
            )
            if limit is not None
        )

    def _check(self, cursor: Any, server: Server) -> None:
        if self.needs_extension and self.needs_extension not in server.extensions:
            raise Skipped(
                f"the extension {self.needs_extension} is missing; as an administrator:"
                f" CREATE EXTENSION {self.needs_extension}"
            )
        if self.needs_table:
            cursor.execute("SELECT to_regclass(%s) IS NULL", [self.needs_table])
            if cursor.fetchone()[0]:
                raise Skipped(f"there is no table {self.needs_table}; run manage.py migrate")
        if self.needs_old_counters:
            needed = timedelta(days=settings.MONITORING_STATISTICS_DAYS)
            age = server.age_of_counters
            if age is None:
                raise Unknown("nobody knows since when the server has counted")
            if age < needed:
                raise Skipped(
                    f"the server has counted for {age.days} days; {needed.days} are needed"
                    " to tell what is never used"
                )

    def _look(self, cursor: Any, server: Server) -> list[Row]:
        with transaction.atomic():
            if self.sees_own and not server.sees_all:
                with no_tenant():
                    return self.rows(cursor, server)
            return self.rows(cursor, server)

    def _judge(self, row: Row) -> Item:
        subject, value = str(row["subject"]), row["value"]
        value = None if value is None else float(value)
        level = Level(row["level"]) if row.get("level") else self._level(value)
        text = row.get("says") or self.says.format(**row)
        why = ACCEPTED.get((self.name, subject))
        if why and level is not Level.OK:
            return Item(Level.OK, subject, value, text, accepted=why)
        bad = level in (Level.WARNING, Level.CRITICAL)
        fix = self.fix.format(**row) if bad else ""
        return Item(level, subject, value, text, fix)

    def _level(self, value: float | None) -> Level:
        if value is None:
            return Level.UNKNOWN
        sign = -1 if self.falling else 1
        for level, limit in zip(
            (Level.CRITICAL, Level.WARNING), reversed(self.thresholds()), strict=True
        ):
            if limit is not None and sign * value >= sign * limit:
                return level
        return Level.OK

    def _worst_value(self, items: list[Item]) -> float | None:
        values = [item.value for item in items if item.value is not None]
        return (min if self.falling else max)(values, default=None)


def _plain(number: float) -> str:
    """1000000.0 as 1,000,000 and 0.5 as 0.5."""
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def _short(error: DatabaseError) -> str:
    """Without the values that PostgreSQL quotes in its details."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "message_primary", None) or str(error).split("\n", 1)[0]
