"""The admin's page of alerts: what is open, acknowledge, snooze."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from monitoring.models import Alert, Notice
from monitoring.pages import page, show
from tenancy import all_tenants

CHANGE = "monitoring.change_alert"
LATEST_SHOWN = 30
HOURS = [(1, "1 hour"), (8, "8 hours"), (24, "1 day"), (168, "1 week")]


class HandleForm(forms.Form):
    """`hours` empty: acknowledged."""

    note = forms.CharField(max_length=500, required=False)
    hours = forms.TypedChoiceField(
        choices=[("", ""), *HOURS], coerce=int, empty_value=None, required=False
    )


@page()
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    with all_tenants("alerts page"):
        context: dict[str, Any] = {
            "open": list(Alert.objects.open()),
            "resolved": list(Alert.objects.exclude(resolved_at=None)[:LATEST_SHOWN]),
            "undelivered": list(Notice.objects.filter(delivered_at=None)[:LATEST_SHOWN]),
        }
    return show(
        request,
        "alerts",
        "Alerts",
        now=timezone.now(),
        hours=HOURS,
        may_change=request.user.has_perm(CHANGE),
        **context,
    )


@page(CHANGE)
def handle(request: Any, pk: int) -> HttpResponse:
    """Acknowledge an open alert, or snooze it for some hours.

    A GET comes from somebody who had to log in again before the form was sent.
    """
    form = HandleForm(request.POST)
    if request.method != "POST" or not form.is_valid():
        messages.error(request, "Alert not changed: a note can have at most 500 characters.")
        return redirect("database:alerts")
    hours, note, by = form.cleaned_data["hours"], form.cleaned_data["note"], request.user
    now = timezone.now()
    with all_tenants("alerts page"):
        alert = Alert.objects.open().filter(pk=pk).first()
        if alert is None:
            messages.info(request, "This alert has already been resolved.")
        elif hours is None:
            alert.acknowledge(by=by.get_username(), note=note, now=now)
            messages.success(request, f"Acknowledged: {alert}")
        else:
            until = now + timedelta(hours=hours)
            alert.snooze(by=by.get_username(), note=note, until=until)
            messages.success(request, f"Snoozed until {until:%Y-%m-%d %H:%M} UTC: {alert}")
    return redirect("database:alerts")
