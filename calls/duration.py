"""When the duration of a call is known, and when a call was successful; both stand here alone.

The column `duration` is 0 until a length is reported. A call in progress has no length yet, and
one that we ended because no more events came (provider_status timed-out) never got one: their 0
is not a length, and nobody knows how the latter ended. Each rule stands twice, as SQL and as a
condition of the ORM; tests/calls/test_unknown_duration.py holds the two equal.
"""

from typing import Any

from django.db.models import Q

from backoffice.display import duration
from calls.models import ENDED, TIMED_OUT, CallStatus

KNOWN_DURATION_HELP = (
    "Whether `duration` is the length of the call: false for a call in progress, and for one"
    " ended by us because no more events came (provider_status timed-out)."
)

MEASURED = Q(status__in=ENDED) & ~Q(provider_status=TIMED_OUT)
SUCCESSFUL = Q(status=CallStatus.COMPLETED) & ~Q(provider_status=TIMED_OUT)


def measured_sql(call: str = "") -> str:
    """Whether the duration is known; call: the row's name and a dot, such as "c."."""
    return f"({call}status IN ('completed', 'failed') AND {_reported(call)})"


def successful_sql(call: str = "") -> str:
    """Whether the call was completed, as reported and not as assumed by us."""
    return f"({call}status = 'completed' AND {_reported(call)})"


def _reported(call: str) -> str:
    return f"{call}provider_status IS DISTINCT FROM '{TIMED_OUT}'"


def known_duration(call: Any) -> int | None:
    """Seconds, of a live or archived call; None where they are not known."""
    is_known = call.status in ENDED and call.provider_status != TIMED_OUT
    return call.duration if is_known else None


def lasted(call: Any) -> str:
    """The duration as the admin shows it: 1:05, in progress or unknown."""
    seconds = known_duration(call)
    if seconds is not None:
        return duration(seconds)
    return "unknown" if call.status in ENDED else "in progress"
