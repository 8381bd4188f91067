"""Plain makers of rows; each takes any column as a keyword."""

import itertools
from datetime import datetime
from typing import Any

from django.db import connection

from calls.holds.placing import place
from calls.models import Call, CallMetadata, LegalHold
from tenancy import all_tenants, tenant
from tenants.models import ConversationRule, PhoneNumber

_count = itertools.count(1)

KEEP_DECISION = """
SELECT app.keep_call_decision(%(sid)s, %(at)s, %(facts)s, %(version)s, %(answer)s, %(most)s)
"""
STORE_RULE = """
INSERT INTO conversation_rules (phone_id, rule_type, conditions, actions)
VALUES (%s, 'greeting', %s, '{"say": "Hi"}') RETURNING id
"""


def make_line(**overrides: Any) -> PhoneNumber:
    n = next(_count)
    row = {"id": f"pn_{n}", "number": f"+1415555{n:04}", "business_name": f"Business {n}"}
    line = PhoneNumber(**row | overrides)
    with all_tenants("test data"):
        line.save(force_insert=True)
    return line


def hold_numbers_for_long() -> None:
    """As if for years: a number that is changed at once counts as a mistake."""
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute("UPDATE number_assignments SET recorded_at = '2020-01-01Z'")


MOVED_AT = """
UPDATE number_assignments SET since = CASE WHEN since IS NOT NULL THEN %(at)s END,
    until = CASE WHEN until IS NOT NULL THEN %(at)s END
WHERE number = %(number)s
"""


def set_moment_of_move(number: str, at: datetime) -> None:
    """As if the number had moved then."""
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(MOVED_AT, {"at": at, "number": number})


def make_call(
    line: PhoneNumber, *, metadata: dict[str, Any] | None = None, **overrides: Any
) -> Call:
    """A completed call of a minute; metadata holds the columns of its call_metadata row."""
    row = {
        "caller_number": "+14155559999",
        "call_sid": f"CA{next(_count):032x}",
        "status": "completed",
        "duration": 60,
    }
    is_held = overrides.pop("legal_hold", False)
    with all_tenants("test data"):
        call = Call(phone=line, **row | overrides)
        call.save(force_insert=True)
        if metadata is not None:
            CallMetadata.objects.create(call=call, phone=line, **metadata)
        if is_held:
            hold(call)
            call.refresh_from_db()
    return call


def keep_decision(line: PhoneNumber, call_sid: str, **overrides: Any) -> str:
    """What app.keep_call_decision() answers to a decision for this SID."""
    values: dict[str, Any] = {
        "sid": call_sid,
        "at": "2026-03-02 09:00Z",
        "facts": "{}",
        "version": "v1",
        "answer": '{"hours": {}, "decisions": {}, "trace": []}',
        "most": 200,
    }
    with tenant(line.pk), connection.cursor() as cursor:
        cursor.execute(KEEP_DECISION, values | overrides)
        outcome: str = cursor.fetchone()[0]
    return outcome


def store_rule(line: PhoneNumber, *, conditions: str) -> ConversationRule:
    """A greeting that SQL wrote, which the model's check did not see."""
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(STORE_RULE, [line.pk, conditions])
        rule: ConversationRule = ConversationRule.objects.get(pk=cursor.fetchone()[0])
    return rule


def hold(call: Any, *, case: str = "2026/17") -> None:
    """Put a call, live or archived, under legal hold."""
    with all_tenants("test data"):
        place([call.pk], case=case, reason="a court's order", by="counsel")


def release_holds() -> None:
    with all_tenants("test data"):
        LegalHold.objects.in_force().update(released_by="counsel", release_reason="over")


ARCHIVE = """
WITH moved AS (DELETE FROM calls WHERE id = %(id)s RETURNING *)
INSERT INTO calls_archive SELECT * FROM moved
"""


def archive(call: Call) -> None:
    """Move a call, without metadata, as archive_calls does in batches."""
    month: dict[str, Any] = {"month": call.created_at, "id": call.pk}
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute("SELECT app.create_archive_partitions(%(month)s, %(month)s)", month)
        cursor.execute(ARCHIVE, month)
