"""The transfer targets of all lines' rules whose last dials all failed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from calls.transfers import (
    ANSWERED,
    MIN_FAILURES,
    SPAN,
    UNANSWERED,
    FailingTarget,
    failing_targets,
)
from monitoring.server import Row

# The targets of the rules in force whose latest dials nobody answered, as far as the live calls
# show; calls.transfers then looks at the line's archive as well. What no rule transfers to matters
# to nobody. The dials of each target are read by idx_call_legs_target, the latest first.
SUSPECTED = """
WITH targets AS MATERIALIZED (
    SELECT r.phone_id, app.one_number(coalesce(p.number, r.actions ->> 'transfer_to')) AS target,
        max(p.name) AS place, count(*) AS rules,
        string_agg(r.priority::text, ', ' ORDER BY r.priority DESC) AS priorities
    FROM conversation_rules AS r LEFT JOIN transfer_places AS p
        ON p.phone_id = r.phone_id AND p.name = r.actions ->> 'transfer_to'
    WHERE r.rule_type = 'transfer' AND r.is_active AND r.actions ->> 'transfer_to' IS NOT NULL
    GROUP BY 1, 2
)
SELECT t.phone_id, n.business_name, n.timezone, t.target, t.place, t.rules, t.priorities
FROM targets AS t JOIN phone_numbers AS n ON n.id = t.phone_id
CROSS JOIN LATERAL (
    SELECT FROM (
        SELECT status FROM call_legs
        WHERE phone_id = t.phone_id AND app.one_number("to") = t.target
            AND status = ANY (%(decided)s::text[]) AND started_at >= %(since)s
        ORDER BY started_at DESC LIMIT %(dials)s) AS latest
    HAVING bool_and(status = ANY (%(unanswered)s::text[]))
) AS unanswered
ORDER BY t.phone_id, t.target
"""


@dataclass(frozen=True)
class FailingTransfer:
    """A failing target of a line, and the rules that transfer to it."""

    phone_id: str
    business_name: str
    timezone: str
    target: FailingTarget
    place: str | None  # by whose name the rules transfer, None: by the number
    rules: int
    priorities: str


def parameters(now: datetime) -> dict[str, object]:
    """Those of SUSPECTED."""
    return {
        "since": now - SPAN,
        "dials": MIN_FAILURES,
        "decided": [*ANSWERED, *UNANSWERED],
        "unanswered": UNANSWERED,
    }


def failing_transfers(suspected: Iterable[Row], *, now: datetime) -> list[FailingTransfer]:
    """Those of the rows of SUSPECTED that fail; in an all_tenants scope."""
    found = []
    for line, rows in groupby(suspected, key=lambda row: row["phone_id"]):
        failing = {target.to: target for target in failing_targets(line, now=now)}
        found += [
            FailingTransfer(**row | {"target": failing[row["target"]]})
            for row in rows
            if row["target"] in failing
        ]
    return found
