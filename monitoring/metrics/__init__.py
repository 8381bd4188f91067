"""Every metric, in the order of the report. Rooms above register what they know of."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from monitoring.accepted import ACCEPTED
from monitoring.metrics import (
    backup,
    indexes,
    replication,
    security,
    server,
    sessions,
    statements,
    tables,
    worker,
)
from monitoring.metrics.base import Metric

METRICS: list[Metric] = [
    metric()
    for module in (
        sessions,
        statements,
        tables,
        indexes,
        server,
        replication,
        worker,
        backup,
        security,
    )
    for metric in module.METRICS
]
# Group and what it is about, for the report.
GROUPS = {
    "sessions": "Connections, locks and transactions",
    "statements": "Statements",
    "tables": "Tables",
    "indexes": "Indexes",
    "server": "Cache, WAL and checkpoints",
    "replication": "Replication",
    "jobs": "Jobs and backlogs",
    "backup": "Backup",
    "security": "Security",
}


def register_metrics(
    metrics: Iterable[type[Metric]],
    *,
    accepted: Mapping[tuple[str, str], str] = MappingProxyType({}),
    groups: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Add metrics of a room above, each after the others of its group, and accepted findings.

    groups are those that the room adds.
    """
    ACCEPTED.update(accepted)
    GROUPS.update(groups)
    for metric in metrics:
        places = [place for place, other in enumerate(METRICS) if other.group == metric.group]
        METRICS.insert(max(places, default=len(METRICS) - 1) + 1, metric())
