"""When a call has an AI confidence. The column holds its default, 0.8, where nobody gave one.

Of a call that only rings, or failed before anybody answered, no AI has heard a word, so the
default is not shown. The rule stands twice, in Python and as SQL;
tests/calls/test_confidence.py holds the two equal.
"""

from decimal import Decimal
from typing import Any

from calls.models import DEFAULT_CONFIDENCE, CallStatus

ANSWERED = [CallStatus.ANSWERED, CallStatus.COMPLETED]
# Of a row c.
HAS_CONFIDENCE = (
    "(c.status IN ('answered', 'completed')"
    f" OR c.ai_confidence <> {DEFAULT_CONFIDENCE} OR c.ai_summary <> '')"
)


def confidence_of(call: Any) -> Decimal | None:
    """From 0 to 1, of a live or archived call; None where no AI spoke."""
    confidence: Decimal = call.ai_confidence
    if call.status in ANSWERED or confidence != DEFAULT_CONFIDENCE or call.ai_summary:
        return confidence
    return None
