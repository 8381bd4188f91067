"""The report for a terminal."""

from collections.abc import Iterator

from monitoring.findings import Finding, Level
from monitoring.metrics import GROUPS
from monitoring.report import Report
from monitoring.statements import Activity


def lines(report: Report, *, with_queries: bool = False) -> Iterator[str]:
    """Every finding by group; those that are not ok with their threshold and fix."""
    server = report.server
    yield (
        f"Database {server.database}, PostgreSQL {server.version}, as {server.login},"
        f" {server.now:%Y-%m-%d %H:%M:%S} UTC, {report.milliseconds:,.0f} ms"
    )
    for group, title in GROUPS.items():
        yield f"\n{title}"
        for finding in report.findings:
            if finding.group == group:
                yield from _finding(finding, with_query=with_queries)
    counts = report.counts()
    yield "\n" + ", ".join(f"{counts[level]} {level}" for level in reversed(Level))


def _finding(finding: Finding, *, with_query: bool) -> Iterator[str]:
    head = f"  {finding.level:<9} {finding.label}"
    yield f"{head}: {finding.reason}" if finding.reason else head
    for item in finding.items:
        mark = "" if item.level in (Level.OK, finding.level) else f"{item.level}: "
        why = f" (accepted: {item.accepted})" if item.accepted else ""
        yield f"              {mark}{item.text}{why}"
    if finding.count > len(finding.items):
        yield f"              and {finding.count - len(finding.items)} more"
    if finding.level in (Level.WARNING, Level.CRITICAL):
        if finding.threshold:
            yield f"            threshold: {finding.threshold}"
        for fix in dict.fromkeys(item.fix for item in finding.items if item.fix):
            yield f"            fix: {fix}"
    if finding.since:
        yield f"            counted since {finding.since:%Y-%m-%d %H:%M} UTC"
    if with_query:
        yield f"            query: {finding.query} ({finding.milliseconds:,.1f} ms)"


def statement_lines(found: list[Activity]) -> Iterator[str]:
    """A table of statements."""
    yield "  share    calls      mean ms     total ms        rows    read  hit %  role, statement"
    for row in found:
        blocks = row.blocks_hit + row.blocks_read
        hit = f"{100 * row.blocks_hit / blocks:6.1f}" if blocks else "     -"
        yield (
            f"{row.share:6.1f}% {row.calls:8,} {row.mean_ms:12,.2f} {row.total_ms:12,.0f}"
            f" {row.rows:11,} {row.blocks_read:7,} {hit}  {row.role}: {row.text[:300]}"
        )
    if found and found[0].since:
        yield f"counted since {min(row.since for row in found if row.since):%Y-%m-%d %H:%M} UTC"
