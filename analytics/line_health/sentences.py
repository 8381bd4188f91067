"""What is wrong with a line, in its owner's words and on its clock. No caller is in them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.line_health.transfers import FailingTransfer
from backoffice.display import plural

# The columns that quiet_sentence() reads, and `subject` and `value` for a metric.
MISSING_CALLS = """
SELECT q.phone_id AS subject, q.expected AS value, p.business_name, p.timezone, q.state,
    q.last_call_at, q.refused, q.cause
FROM quiet_lines AS q JOIN phone_numbers AS p ON p.id = q.phone_id
"""


def quiet_sentence(row: Mapping[str, Any], *, now: datetime) -> str:
    """ "Sunrise Dental has had no call since Monday 09:12; by its usual Mondays 5.4 were…" """
    zone = ZoneInfo(row["timezone"])
    last, today = row["last_call_at"].astimezone(zone), now.astimezone(zone)
    usual = f"usual {last:%A}s" if last.date() == today.date() else "usual weeks"
    sentence = (
        f"{row['business_name']} has had no call since {_moment(last, today)}; by its {usual}"
        f" {row['value']:.1f} were expected."
    )
    if row["refused"]:
        callbacks = plural(row["refused"], "callback")
        sentence += f" Since then {callbacks} of its calls could not be used: {row['cause']}"
    return sentence


def failing_sentence(transfer: FailingTransfer) -> str:
    since = transfer.target.since.astimezone(ZoneInfo(transfer.timezone))
    use = "uses" if transfer.rules == 1 else "use"
    return (
        f"{transfer.business_name}: the last {transfer.target.dials} transfers to"
        f" {target_name(transfer)} failed, since {since:%A %Y-%m-%d %H:%M}."
        f" {plural(transfer.rules, 'transfer rule')} {use} it, of"
        f" priority {transfer.priorities}."
    )


def target_name(transfer: FailingTransfer) -> str:
    """The name of the place, and the end of the number alone: alerts are sent outside."""
    end = f"…{transfer.target.to[-4:]}"
    return f"{transfer.place} ({end})" if transfer.place else end


def _moment(at: datetime, now: datetime) -> str:
    """With the date where the weekday could be another week's."""
    if now.date() - at.date() < timedelta(days=7):
        return f"{at:%A %H:%M}"
    return f"{at:%A %Y-%m-%d %H:%M}"
