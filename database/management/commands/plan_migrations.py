"""The migrations to come: what they lock, for how long, and who is in the way."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from database.safe_migrations.patience import Limits
from database.safe_migrations.planning import Impact, Planned, plan

UNITS = ("bytes", "kB", "MB", "GB", "TB")


class Command(BaseCommand):
    help = (
        "Shows each statement of the migrations that are to come, with its lock, the size of its"
        " table, who is in the way now, how long it may take, and whether now is a good moment."
        " It changes nothing. Exit code 0: it is; 1: not now; 3: a statement would stop traffic"
        " for longer than migrate lets it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app_label", nargs="?", default="", help="those of this app alone")
        parser.add_argument(
            "--database", default="owner", choices=tuple(connections), help="owner by default"
        )

    def handle(self, **options: Any) -> None:
        count = 0
        in_the_way: dict[str, None] = {}
        too_long: list[str] = []
        planned = plan(
            connections[options["database"]],
            app=options["app_label"],
            seconds=Limits.lock_timeout,
        )
        for migration, statements in planned:
            count += 1
            how = "in one transaction" if migration.atomic else "each statement for itself"
            self.stdout.write(f"{migration}, {how}")
            for statement in statements:
                for line in _lines(statement):
                    self.stdout.write(line)
                if statement.stops_traffic:
                    in_the_way |= dict.fromkeys(map(str, statement.blockers))
                if statement.seconds > Limits.hold_limit:
                    too_long.append(str(migration))
        if too_long:
            raise CommandError(
                f"{', '.join(dict.fromkeys(too_long))} may stop traffic for more than"
                f" {Limits.hold_limit:g} s: take steps that stop nobody (CONTRIBUTING.md,"
                " Migrations), or a quiet hour and migrate --hold-limit 0.",
                returncode=3,
            )
        if in_the_way:
            raise CommandError(
                f"Not a good moment; in the way for more than {Limits.lock_timeout:g} s:"
                f" {'; '.join(in_the_way)}. Wait until that has ended.",
                returncode=1,
            )
        if count:
            self.stdout.write(f"{count} migrations; now is a good moment.")
        else:
            self.stdout.write("Nothing to migrate.")


def _lines(planned: Planned) -> Iterator[str]:
    words = " ".join(planned.statement.split())
    yield f"  {words[:150]}{'…' if len(words) > 150 else ''}"
    if not planned.is_known:
        yield "    a function: its statements are known when it runs"
    elif not planned.impacts:
        yield "    locks nothing that is there"
    for impact in planned.impacts:
        yield f"    {_impact(impact)}"
    for blocker in planned.blockers:
        waits = "in the way" if planned.stops_traffic else "will be waited for, stopping nobody"
        yield f"    {waits}: {blocker}"


def _impact(impact: Impact) -> str:
    lock = impact.effect.lock
    if not impact.table:
        return f"{lock} on what it does not name: it may stop anything"
    stops = f"stops {lock.stops}" if lock.stops else "stops nobody"
    return (
        f"{lock} on {impact.table} ({impact.rows:,} rows, {_size(impact.bytes)}): {stops};"
        f" {impact.effect.work}, about {_time(impact.seconds)}"
    )


def _size(size: float) -> str:
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:,.0f} {UNITS[unit]}"


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
