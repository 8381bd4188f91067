"""The bulk actions on calls."""

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from backoffice.bulk import bulk_action
from backoffice.exporting import Columns, export_action
from calls.confidence import confidence_of
from calls.duration import known_duration
from calls.holds.placing import place, release
from calls.models import Call, CallArchive
from calls.reviews.queue import mark_reviewed

ADD_TAG = """
INSERT INTO call_metadata AS m (call_id, phone_id, tags)
SELECT id, phone_id, ARRAY[%(tag)s] FROM calls WHERE id = ANY(%(calls)s) AND NOT legal_hold
ON CONFLICT (call_id) DO UPDATE SET tags = m.tags || ARRAY[%(tag)s]
WHERE NOT m.tags @> ARRAY[%(tag)s]
"""
REMOVE_TAG = """
UPDATE call_metadata SET tags = array_remove(tags, %(tag)s)
WHERE call_id = ANY(%(calls)s) AND tags @> ARRAY[%(tag)s]
AND EXISTS (SELECT FROM calls WHERE id = call_id AND NOT legal_hold)
"""


class TagsForm(forms.Form):
    tag = forms.CharField(label="Tag", max_length=100)


class HoldForm(forms.Form):
    case = forms.CharField(label="Case", max_length=200)
    reason = forms.CharField(
        label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class ReleaseForm(HoldForm):
    case = forms.CharField(label="Case that no longer needs the calls", max_length=200)


def _tag(sql: str, calls: Sequence[Any], data: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"calls": list(calls), "tag": data["tag"]})
        changed: int = cursor.rowcount
    return changed


def _place(calls: Sequence[Any], request: HttpRequest, data: dict[str, Any]) -> int:
    return place(calls, by=request.user.get_username(), **data)


def _release(calls: Sequence[Any], request: HttpRequest, data: dict[str, Any]) -> int:
    return release(calls, by=request.user.get_username(), **data)


def _mark(calls: Sequence[Any], request: HttpRequest, data: dict[str, Any]) -> int:
    return mark_reviewed(calls, by=request.user.get_username(), now=timezone.now())


HOLD_ACTIONS = [
    bulk_action(
        name="hold",
        description="Put under legal hold",
        permission="hold",
        form=HoldForm,
        change=_place,
        done="{rows} put under legal hold",
    ),
    bulk_action(
        name="release",
        description="Release from legal hold",
        permission="hold",
        form=ReleaseForm,
        change=_release,
        done="{rows} released from legal hold",
    ),
]
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
    *HOLD_ACTIONS,
]


def _tags(call: Call | CallArchive) -> str:
    """As JSON, which import_calls reads: a tag may contain any separator."""
    held = call if isinstance(call, CallArchive) else getattr(call, "metadata", None)
    return json.dumps(held.tags, ensure_ascii=False) if held and held.tags else ""


def _local_time(call: Call | CallArchive) -> str:
    return f"{call.created_at.astimezone(ZoneInfo(call.phone.timezone)):%Y-%m-%d %H:%M:%S}"


# Under the names of the table's columns, which import_calls reads.
COLUMNS: Columns = {
    # As it is stored: a call that its line alone claimed is none that the provider confirmed.
    "call_sid": lambda call: call.call_sid,
    "phone_id": lambda call: call.phone_id,
    "business_name": lambda call: call.phone.business_name,
    "caller_number": lambda call: call.caller_number,
    "status": lambda call: call.status,
    "provider_status": lambda call: call.provider_status,
    # Told from the others and from legs and metadata; import_calls does not read them.
    "outcome": lambda call: call.outcome,
    "ended_by": lambda call: call.ended_by,
    "duration": known_duration,
    "created_at": lambda call: call.created_at.astimezone(UTC).isoformat(),
    "local_time": _local_time,
    "timezone": lambda call: call.phone.timezone,
    "ai_confidence": confidence_of,
    "legal_hold": lambda call: "yes" if call.legal_hold else "no",
    "tags": _tags,
    "recording_url": lambda call: call.recording_url,
    "ai_summary": lambda call: call.ai_summary,
}


def _with_tags(calls: QuerySet[Any]) -> QuerySet[Any]:
    if calls.model is CallArchive:
        return calls
    return calls.select_related("phone", "metadata").defer(
        "metadata__metadata", "metadata__custom_fields"
    )


export_calls = export_action(
    name="export_calls",
    description="Export as CSV",
    columns=COLUMNS,
    optional={"transcript": lambda call: call.transcript},
    prepare=_with_tags,
)
