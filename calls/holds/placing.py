"""Placing and releasing legal holds, on live and archived calls alike."""

import uuid
from collections.abc import Sequence

from django.db import connection

from tenancy import all_tenants, current_scope

# A call that is held for this case already stays as it is.
PLACE = """
INSERT INTO legal_holds (phone_id, call_id, reason, case_reference, placed_by)
SELECT phone_id, id, %(reason)s, %(case)s, %(by)s FROM (
    SELECT phone_id, id FROM calls WHERE id = ANY(%(calls)s)
    UNION ALL SELECT phone_id, id FROM calls_archive WHERE id = ANY(%(calls)s)
) AS chosen
WHERE coalesce(phone_id = %(line)s, true) AND NOT EXISTS (
    SELECT FROM legal_holds
    WHERE call_id = chosen.id AND case_reference = %(case)s AND released_at IS NULL
)
ORDER BY id
"""
RELEASE = """
WITH released AS (
    UPDATE legal_holds SET released_by = %(by)s, release_reason = %(reason)s
    WHERE call_id = ANY(%(calls)s) AND case_reference = %(case)s AND released_at IS NULL
        AND coalesce(phone_id = %(line)s, true)
    RETURNING call_id
)
SELECT count(DISTINCT call_id) FROM released
"""


def place(calls: Sequence[uuid.UUID], *, case: str, reason: str, by: str) -> int:
    """Hold these calls of the scope for a case; returns how many were not yet held for it."""
    line = current_scope().phone_id
    with all_tenants("place legal holds"), connection.cursor() as cursor:
        values = {"calls": list(calls), "line": line, "case": case, "reason": reason, "by": by}
        cursor.execute(PLACE, values)
        placed: int = cursor.rowcount
    return placed


def release(calls: Sequence[uuid.UUID], *, case: str, reason: str, by: str) -> int:
    """Release these calls of the scope from a case; returns how many were held for it.

    A call stays held while another case holds it.
    """
    line = current_scope().phone_id
    with all_tenants("release legal holds"), connection.cursor() as cursor:
        values = {"calls": list(calls), "line": line, "case": case, "reason": reason, "by": by}
        cursor.execute(RELEASE, values)
        released: int = cursor.fetchone()[0]
    return released
