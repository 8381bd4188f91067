"""What the page of a call in the admin shows beside the call's own columns."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from backoffice.display import duration, list_link, plural
from calls.confidence import confidence_of
from calls.dialogue import turns
from calls.duration import lasted
from calls.intake.models import PROBLEMS, CallEvent
from calls.legs import legs_of
from calls.models import LOW_CONFIDENCE, Call, CallArchive, CallMetadata, CallReview
from calls.outcomes import ending_of
from calls.recordings import playable_url, recordings_of
from tenants.addresses import is_withheld

OTHERS_SHOWN = 8
EVENTS_SHOWN = 50


def call_page(call: Any, request: HttpRequest) -> dict[str, Any]:
    """The context of calls/call_page.html for a live or archived call."""
    sees_events = _may_see(CallEvent, request)
    confidence = confidence_of(call)
    return {
        "call": call,
        "is_archived": isinstance(call, CallArchive),
        "lasted": lasted(call),
        "ending": ending_of(call),
        "confidence": confidence,
        "is_low": confidence is not None and confidence < LOW_CONFIDENCE,
        "turns": turns(call.transcript),
        "tags": _tags(call, request),
        "recording": playable_url(call.recording_url),
        "recordings": _recordings(call),
        "legs": _legs(call),
        "review_steps": _review_steps(call) if _may_see(CallReview, request) else [],
        "sees_events": sees_events,
        "events": _events(call) if sees_events else [],
        "others": _others(call, request),
        "other_lists": _other_lists(call, request),
        "is_anonymous": is_withheld(call.caller_number),
    }


def _may_see(model: Any, request: HttpRequest) -> bool:
    may: bool = admin.site.get_model_admin(model).has_view_permission(request)
    return may


def _tags(call: Any, request: HttpRequest) -> list[SafeString]:
    """The tags, each linked to the calls that have it."""
    if isinstance(call, CallArchive):
        return [list_link("calls_callarchive", tag, tag=tag) for tag in call.tags]
    if not _may_see(CallMetadata, request):
        return []
    found = CallMetadata.objects.filter(call=call).values_list("tags", flat=True).first()
    return [list_link("calls_call", tag, tag=tag) for tag in found or []]


def _legs(call: Any) -> list[dict[str, Any]]:
    return [
        {
            "leg": leg,
            "lasted": duration(leg.duration),
            "about": _known(_local(leg.started_at, call), leg.direction),
        }
        for leg in legs_of(call)
    ]


def _recordings(call: Any) -> list[dict[str, Any]]:
    """The recordings beside the one that the player has."""
    return [
        {
            "recording": one,
            "lasted": duration(one.duration),
            "about": _known(
                _local(one.started, call),
                one.source,
                one.channels and plural(one.channels, "channel"),
            ),
        }
        for one in recordings_of(call)
        if one.url is None or one.url != call.recording_url
    ]


def _local(moment: datetime | None, call: Any) -> str | None:
    if moment is None:
        return None
    return f"{moment.astimezone(ZoneInfo(call.phone.timezone)):%Y-%m-%d %H:%M:%S}"


def _known(*values: str | int | None) -> str:
    return ", ".join(str(value) for value in values if value)


def _review_steps(call: Any) -> list[dict[str, Any]]:
    """The steps of the call's review, with the time on the clock of its line."""
    review = CallReview.objects.filter(phone_id=call.phone_id, call_id=call.pk).first()
    return [
        {**step, "at": f"{_local(datetime.fromisoformat(step['at']), call)} {call.phone.timezone}"}
        for step in (review.history if review else [])
    ]


def _events(call: Any) -> list[dict[str, Any]]:
    """The timeline: the provider's events of this call, in the order received."""
    events = CallEvent.objects.filter(call_sid=call.call_sid).order_by("id").defer("payload")
    return [_event(event, event.parsed or {}) for event in events[:EVENTS_SHOWN]]


def _event(event: CallEvent, parsed: dict[str, Any]) -> dict[str, Any]:
    return {
        "event": event,
        "label": parsed.get("provider_status") or event.get_kind_display(),
        "leg": parsed.get("to", "unknown") if "leg_sid" in parsed else None,
        "is_problem": event.outcome in PROBLEMS,
        "link": reverse("admin:calls_callevent_change", args=[event.pk]),
    }


def _others(call: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """The latest other calls of the same caller in the scope, live and archived."""
    if is_withheld(call.caller_number):
        return []
    found: list[Any] = []
    models: tuple[Any, ...] = (Call, CallArchive)
    for model in models:
        if _may_see(model, request):
            rows = model.objects.filter(caller_number=call.caller_number).exclude(pk=call.pk)
            rows = rows.select_related("phone").defer("transcript", "ai_summary")
            found += rows.order_by("-created_at", "-id")[:OTHERS_SHOWN]
    found.sort(key=lambda other: (other.created_at, other.pk), reverse=True)
    return [
        {
            "call": other,
            "lasted": lasted(other),
            "link": reverse(
                f"admin:calls_{other._meta.model_name}_change",
                args=[other.pk],
            ),
        }
        for other in found[:OTHERS_SHOWN]
    ]


def _other_lists(call: Any, request: HttpRequest) -> list[Any]:
    lists = (
        (Call, "calls_call", "All calls"),
        (CallArchive, "calls_callarchive", "Archived calls"),
    )
    return [
        list_link(name, title, q=call.caller_number)
        for model, name, title in lists
        if _may_see(model, request)
    ]
