"""The review page: claim a call with low AI confidence, correct its summary, take the next."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminTextareaWidget

from backoffice.counting import count_up_to
from backoffice.display import moment
from calls.admin.call_page import call_page
from calls.models import Call, CallReview
from calls.outcomes import with_outcomes
from calls.reviews import queue
from desk.cards import clock_in_scope

LATEST_SHOWN = 8


class SummaryForm(forms.Form):
    summary = forms.CharField(
        label="Summary", required=False, widget=UnfoldAdminTextareaWidget({"rows": 6})
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """GET shows the call that the user has claimed; POST does `next`, `release` or `finish`."""
    if not request.user.has_perms(["calls.review_call", "calls.view_call"]):
        raise PermissionDenied
    unsaved = ""
    if request.method == "POST":
        if not _perform(request):
            unsaved = request.POST.get("summary", "").replace("\x00", "")
        if not unsaved:
            return redirect("desk:review")
    now = timezone.now()
    waiting = queue.waiting(now=now)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Review queue",
        "waiting": count_up_to(waiting),
        "latest": CallReview.objects.filter(reviewed_at__isnull=False)
        .select_related("phone")
        .order_by("-id")[:LATEST_SHOWN],
        "minutes": int(queue.CLAIM_DURATION.total_seconds() // 60),
        "days": queue.REVIEW_WINDOW.days,
        "unsaved": unsaved,
        "clock": clock_in_scope(),
    }
    held = queue.held_by(request.user.get_username(), now=now)
    calls = with_outcomes(Call.objects.select_related("phone"))
    call = calls.filter(pk=held.call_id).first() if held else None
    if held and call:
        context |= {
            "review": held,
            "page": call_page(call, request),
            "began": moment(call.created_at, call.phone.timezone),
            "form": SummaryForm(initial={"summary": call.ai_summary}),
            "call_link": reverse("admin:calls_call_change", args=[call.pk]),
        }
    return TemplateResponse(request, "desk/review.html", context)


def _perform(request: HttpRequest) -> bool:
    """Whether it succeeded; after a failure the page shows the unsaved summary."""
    by, now = request.user.get_username(), timezone.now()
    which = request.POST.get("review", "")
    key = int(which) if which.isdecimal() and len(which) < 18 else 0
    try:
        if "release" in request.POST:
            queue.release(key, by=by, now=now)
            messages.info(request, "Call returned to the queue.")
        elif "finish" in request.POST:
            form = SummaryForm(request.POST)
            if not form.is_valid():
                messages.error(request, "Review not saved: the summary must be plain text.")
                return False
            summary = form.cleaned_data["summary"].replace("\r\n", "\n") or None
            queue.finish(key, by=by, summary=summary, now=now)
            messages.success(request, "Review saved.")
            if queue.claim_next(by=by, now=now) is None:
                messages.info(request, "No more calls are waiting for review.")
        elif queue.claim_next(by=by, now=now) is None:
            messages.info(request, "No calls are waiting for review.")
    except queue.ClaimLost:
        messages.error(
            request, "Review not saved: your claim expired and another reviewer has the call."
        )
        return False
    except queue.CallHeld:
        messages.error(
            request,
            "Review not saved: the call is under legal hold, so its summary cannot change."
            " Finish the review with the summary as it was.",
        )
        return False
    except queue.CallGone:
        messages.error(request, "Review not saved: the call was archived or deleted.")
        return False
    return True
