"""The bulk actions on calls."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from backoffice.bulk import bulk_action
from backoffice.exporting import Columns, export_action
from calls.models import Call
from calls.reviews.queue import mark_reviewed

ADD_TAG = """
INSERT INTO call_metadata AS m (call_id, phone_id, tags)
SELECT id, phone_id, ARRAY[%(tag)s] FROM calls WHERE id = ANY(%(calls)s)
ON CONFLICT (call_id) DO UPDATE SET tags = m.tags || ARRAY[%(tag)s]
WHERE NOT m.tags @> ARRAY[%(tag)s]
"""
REMOVE_TAG = """
UPDATE call_metadata SET tags = array_remove(tags, %(tag)s)
WHERE call_id = ANY(%(calls)s) AND tags @> ARRAY[%(tag)s]
"""


class TagsForm(forms.Form):
    tag = forms.CharField(label="Tag", max_length=100)


def _tag(sql: str, calls: Sequence[Any], data: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"calls": list(calls), "tag": data["tag"]})
        changed: int = cursor.rowcount
    return changed


def _hold(calls: Sequence[Any], *, on: bool) -> int:
    changed: int = Call.objects.filter(pk__in=calls, legal_hold=not on).update(legal_hold=on)
    return changed


def _mark(calls: Sequence[Any], request: HttpRequest, data: dict[str, Any]) -> int:
    return mark_reviewed(calls, by=request.user.get_username(), now=timezone.now())


ACTIONS = [
    bulk_action(
        name="add_tag",
        description="Add a tag",
        permission="tag",
        form=TagsForm,
        change=lambda calls, request, data: _tag(ADD_TAG, calls, data),
        done="Tag added to {rows}",
    ),
    bulk_action(
        name="remove_tag",
        description="Remove a tag",
        permission="tag",
        form=TagsForm,
        change=lambda calls, request, data: _tag(REMOVE_TAG, calls, data),
        done="Tag removed from {rows}",
    ),
    bulk_action(
        name="mark_reviewed",
        description="Mark as reviewed",
        permission="review",
        change=_mark,
        done="{rows} marked as reviewed",
    ),
    bulk_action(
        name="hold",
        description="Put under legal hold",
        permission="hold",
        change=lambda calls, request, data: _hold(calls, on=True),
        done="{rows} put under legal hold",
    ),
    bulk_action(
        name="release",
        description="Release from legal hold",
        permission="hold",
        change=lambda calls, request, data: _hold(calls, on=False),
        done="{rows} released from legal hold",
    ),
]

COLUMNS: Columns = {
    "started (UTC)": lambda call: f"{call.created_at:%Y-%m-%d %H:%M:%S}",
    "line": lambda call: call.phone_id,
    "business": lambda call: call.phone.business_name,
    "caller": lambda call: call.caller_number,
    "call SID": lambda call: call.call_sid,
    "status": lambda call: call.status,
    "seconds": lambda call: call.duration,
    "confidence": lambda call: call.ai_confidence,
    "legal hold": lambda call: "yes" if call.legal_hold else "no",
    "summary": lambda call: call.ai_summary,
}
export_calls = export_action(
    name="export_calls", description="Export as CSV", columns=COLUMNS, defer=("transcript",)
)
