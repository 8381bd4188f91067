"""Whether a caller calls a line for the first time."""

from datetime import datetime

from calls.claims import claimed_sid
from calls.models import ENDED
from database.prepared import Statement
from tenancy import current_scope

# Live by idx_calls_caller_number; archived by idx_archive_caller_created, or a short line by its
# own. An earlier call may also have been among those of a month that was dropped.
HISTORY = Statement(
    """
SELECT EXISTS (
    SELECT FROM calls AS c
    WHERE c.phone_id = %(line)s AND c.caller_number = %(caller)s AND c.created_at < %(at)s
        AND c.call_sid <> ALL (%(own)s) AND (c.status = ANY (%(ended)s) OR %(own)s <> '{}')
) OR EXISTS (
    SELECT FROM calls_archive AS c
    WHERE c.phone_id = %(line)s AND c.caller_number = %(caller)s AND c.created_at < %(at)s
), EXISTS (
    SELECT FROM sealed_months AS m
    WHERE m.phone_id = %(line)s AND m.calls > 0 AND m.since < %(at)s
)
""",
    line="text",
    caller="text",
    at="timestamptz",
    own="text[]",
    ended="text[]",
)


def is_first_call(caller: str, *, at: datetime, call_sid: str | None = None) -> bool | None:
    """Whether no call of the caller to the scope's line, live or archived, began before `at`.

    The call of `call_sid` itself is left out. Without one, so are calls in progress, of which one
    is most likely the call that is asked about. None where it cannot be told, since earlier calls
    were dropped from the archive.
    """
    line = current_scope().phone_id
    assert line is not None
    own = [call_sid, claimed_sid(call_sid, line)] if call_sid else []
    values = {"line": line, "caller": caller, "at": at, "own": own, "ended": list(ENDED)}
    [(has_called, may_have_called)] = HISTORY.fetch_all(values)
    if has_called:
        return False
    return None if may_have_called else True
