"""Every metric, in the order of the report."""

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
    "jobs": "Jobs and what waits for them",
    "backup": "Backup",
    "security": "Security",
}
