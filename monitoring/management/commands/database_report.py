"""The health of the database."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from monitoring.findings import Level
from monitoring.report import examine
from monitoring.server import read_only_transaction
from monitoring.statements import Order, activity
from monitoring.text import lines, statement_lines


class Command(BaseCommand):
    help = (
        "Reports on the database's health: sessions, statements, tables, indexes, cache,"
        " replication, jobs, backups and rights. Each finding is ok, warning, critical, skipped"
        " (not checked, with the reason) or unknown. It changes nothing."
        " --verbosity 2 shows the queries."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--fail-on",
            choices=[Level.WARNING.value, Level.CRITICAL.value],
            help="exit with code 1 if a finding is at least this bad",
        )
        parser.add_argument(
            "--statements",
            choices=[order.value for order in Order],
            help="print the top statements of the last hour by this measure instead",
        )

    def handle(self, **options: Any) -> None:
        if options["statements"]:
            with read_only_transaction(reason="database_report") as cursor:
                found = activity(cursor, order=Order(options["statements"]))
            if not found:
                raise CommandError("No statements: the extension pg_stat_statements is missing.")
            for line in statement_lines(found):
                self.stdout.write(line)
            return
        report = examine()
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "level": report.level,
                        "server": vars(report.server),
                        "findings": [finding.to_json() for finding in report.findings],
                    },
                    cls=DjangoJSONEncoder,
                    indent=2,
                )
            )
        else:
            for line in lines(report, with_queries=options["verbosity"] > 1):
                self.stdout.write(line)
        limit = options["fail_on"]
        if limit and report.level.badness >= Level(limit).badness:
            counts = report.counts()
            raise CommandError(
                f"Findings: {counts[Level.CRITICAL]} critical, {counts[Level.WARNING]} warning."
            )
