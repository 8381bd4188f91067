"""The base class of metrics: a query, how its rows are rated, and how to fix the bad ones."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError, transaction

from monitoring.accepted import ACCEPTED
from monitoring.findings import Finding, Item, Level, worst
from monitoring.server import LIMITED_VIEW, Row, Server, rows
from tenancy import no_tenant

MAX_ITEMS = 20  # items of a finding


class Skipped(Exception):
    """Raised by a metric that cannot be checked; the message is the reason."""


class Unknown(Exception):
    """Raised by a metric that was checked without an answer; the message is the reason."""


class Metric:
    """One thing worth knowing about a database.

    The query's rows have the columns `subject` and `value`; `summary` and `fix` are templates
    over all of them. A row is as bad as its value (None: unknown), unless it has a column `level`;
    a column `summary` replaces the template. Thresholds are in `unit`; a metric with neither is
    for information and always ok.
    """

    group: ClassVar[str]
    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    sql: ClassVar[str]
    summary: ClassVar[str]
    fix: ClassVar[str] = ""
    unit: ClassVar[str] = ""
    warning: ClassVar[float | None] = None
    critical: ClassVar[float | None] = None
    lower_is_worse: ClassVar[bool] = False  # low values are the bad ones
    lists_ok: ClassVar[bool] = False  # list the items that are ok too
    empty: ClassVar[str] = ""  # why it is skipped when there are no rows
    needs_extension: ClassVar[str] = ""
    needs_table: ClassVar[str] = ""
    needs_all_stats: ClassVar[bool] = False  # the right to see what other logins do
    falls_back_to_own: ClassVar[bool] = (
        False  # without that right, check the serving login's sessions
    )
    needs_long_statistics: ClassVar[bool] = False  # of MONITORING_STATISTICS_DAYS
    is_cumulative: ClassVar[bool] = False  # values have counted up since some moment
    costly: ClassVar[bool] = False  # reads tables: the schedule runs it every few hours

    def thresholds(self) -> tuple[float | None, float | None]:
        """Warning and critical: from MONITORING_THRESHOLDS, or the metric's own."""
        own: tuple[float | None, float | None] | None = settings.MONITORING_THRESHOLDS.get(
            self.name
        )
        return own or (self.warning, self.critical)

    def parameters(self, server: Server) -> Mapping[str, Any]:
        """Parameters of the query."""
        return {}

    def rows(self, cursor: Any, server: Server) -> list[Row]:
        """The rows to rate. Raises Skipped and Unknown."""
        return rows(cursor, self.sql, {"version": server.version, **self.parameters(server)})

    def since(self, found: list[Row], server: Server) -> datetime | None:
        """Since when the values have counted; None: they are current."""
        return server.counted_since if self.is_cumulative else None

    def find(self, cursor: Any, server: Server) -> Finding:
        """Run the query in a savepoint and rate its rows; never raises DatabaseError."""
        began = perf_counter()
        items: list[Item] = []
        reason, level, since = "", Level.OK, None
        try:
            self._check(cursor, server)
            found = self._run(cursor, server)
            if self.empty and not found:
                raise Skipped(self.empty)
            items = [self._rate(row) for row in found]
            level, since = worst([item.level for item in items]), self.since(found, server)
        except Skipped as skipped:
            level, reason = Level.SKIPPED, str(skipped)
        except Unknown as unknown:
            level, reason = Level.UNKNOWN, str(unknown)
        except DatabaseError as error:
            level, reason = Level.UNKNOWN, f"the query failed: {_short(error)}"
        if self.needs_all_stats and not server.sees_all and level is Level.OK:
            level, reason = Level.SKIPPED, LIMITED_VIEW.format(login=server.login)
        listed = sorted(
            (i for i in items if self.lists_ok or i.accepted or i.level is not Level.OK),
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
            items=listed[:MAX_ITEMS],
            count=len(listed),
            value=self._worst_value(items),
            reason=reason,
            since=since,
            taken_at=server.now,
            milliseconds=round((perf_counter() - began) * 1000, 1),
        )

    def threshold(self) -> str:
        """For display: "warning at 70%, critical at 85%"."""
        at = "below" if self.lower_is_worse else "at"
        return ", ".join(
            f"{level} {at} {_with_unit(limit, self.unit)}"
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
                raise Skipped(
                    f"the table {self.needs_table} does not exist; run manage.py migrate"
                )
        if self.needs_long_statistics:
            needed = timedelta(days=settings.MONITORING_STATISTICS_DAYS)
            age = server.age_of_counters
            if age is None:
                raise Unknown("the age of the server's statistics is unknown")
            if age < needed:
                raise Skipped(
                    f"the server's statistics cover {age.days} days; {needed.days} are needed"
                    " to call an index unused"
                )

    def _run(self, cursor: Any, server: Server) -> list[Row]:
        with transaction.atomic():
            if self.falls_back_to_own and not server.sees_all:
                with no_tenant():
                    return self.rows(cursor, server)
            return self.rows(cursor, server)

    def _rate(self, row: Row) -> Item:
        subject, value = str(row["subject"]), row["value"]
        value = None if value is None else float(value)
        level = Level(row["level"]) if row.get("level") else self.level_of(value)
        text = row.get("summary") or self.summary.format(**row)
        why = ACCEPTED.get((self.name, subject))
        if why and level is not Level.OK:
            return Item(Level.OK, subject, value, text, accepted=why)
        bad = level in (Level.WARNING, Level.CRITICAL)
        fix = self.fix.format(**row) if bad else ""
        return Item(level, subject, value, text, fix)

    def level_of(self, value: float | None) -> Level:
        if value is None:
            return Level.UNKNOWN
        sign = -1 if self.lower_is_worse else 1
        for level, limit in zip(
            (Level.CRITICAL, Level.WARNING), reversed(self.thresholds()), strict=True
        ):
            if limit is not None and sign * value >= sign * limit:
                return level
        return Level.OK

    def _worst_value(self, items: list[Item]) -> float | None:
        values = [item.value for item in items if item.value is not None]
        return (min if self.lower_is_worse else max)(values, default=None)


def _with_unit(number: float, unit: str) -> str:
    """70% for 70.0 and 1,000,000 bytes for 1000000.0."""
    plain = f"{number:,.2f}".rstrip("0").rstrip(".")
    return f"{plain}{unit}" if unit.startswith("%") else f"{plain} {unit}".strip()


def _short(error: DatabaseError) -> str:
    """Without the values that PostgreSQL quotes in its details."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "message_primary", None) or str(error).split("\n", 1)[0]
