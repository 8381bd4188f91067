"""The admin's pages about the database: what was found, statements with plans, sessions."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from monitoring.alerts import run_check
from monitoring.metrics import GROUPS
from monitoring.models import DatabaseReport, EndedSession, HowEnded, Statement
from monitoring.plans import NoPlan, plan_of
from monitoring.report import findings_of
from monitoring.server import read_only_transaction
from monitoring.sessions import Session, end_session, sessions
from monitoring.statements import ORDER_LABELS, Order, activity
from tenancy import all_tenants

View = Callable[..., HttpResponse]
VIEW = "monitoring.view_databasereport"
END = "monitoring.end_session"
LATEST_SHOWN = 10


def page(permission: str = VIEW) -> Callable[[View], View]:
    """A page of the admin for users with the permission who do not work in a single line."""

    def guard(view: View) -> View:
        @never_cache
        @wraps(view)
        def guarded(request: Any, **arguments: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            if getattr(request, "picked_line", None):
                messages.warning(
                    request, "The database pages cover all lines. Leave the line to open them."
                )
                return redirect("admin:index")
            return view(request, **arguments)

        return admin.site.admin_view(guarded)

    return guard


def show(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    context |= admin.site.each_context(request) | {"title": title}
    return TemplateResponse(request, f"monitoring/{template}.html", context)


@page()
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """GET shows the worker's last report; POST makes a new one."""
    if request.method == "POST":
        run_check()
        return redirect("database:report")
    with all_tenants("database page"):
        last = DatabaseReport.objects.first()
    found = findings_of(last.findings) if last else []
    groups = [
        (title, [finding for finding in found if finding.group == group])
        for group, title in GROUPS.items()
    ]
    return show(request, "report", "Database", report=last, groups=groups)


@page()
@require_safe
def statements(request: HttpRequest) -> HttpResponse:
    """The top statements of the last hour, by the measure that `order` names."""
    given = request.GET.get("order", "")
    order = Order(given) if given in list(Order) else Order.TOTAL
    if given and given != order:
        messages.error(
            request, f"Statements cannot be sorted by {given!r}; choose one of those below."
        )
    with read_only_transaction(reason="database page") as cursor:
        found = activity(cursor, order=order)
    return show(
        request, "statements", "Statements", statements=found, orders=ORDER_LABELS, order=order
    )


@page()
@require_safe
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    """One statement's text, recent activity and plan."""
    with all_tenants("database page"):
        shown = get_object_or_404(Statement, pk=pk)
        history = list(shown.activity.order_by("-taken_at")[:LATEST_SHOWN])
    try:
        plan, why_not = plan_of(shown), ""
    except NoPlan as reason:
        plan, why_not = "", str(reason)
    return show(
        request,
        "statement",
        "Statement",
        statement=shown,
        history=history,
        plan=plan,
        why_not=why_not,
    )


@page()
@require_safe
def list_sessions(request: HttpRequest) -> HttpResponse:
    """Who is connected, and which sessions were ended here."""
    with all_tenants("database page"):
        ended = list(EndedSession.objects.all()[:LATEST_SHOWN])
    may_end = request.user.has_perm(END)
    return show(request, "sessions", "Sessions", sessions=sessions(), ended=ended, may_end=may_end)


class EndForm(forms.Form):
    """Identifies the session by more than its process number, since those are reused."""

    pid = forms.IntegerField(widget=forms.HiddenInput)
    began = forms.CharField(widget=forms.HiddenInput)
    query_start = forms.CharField(widget=forms.HiddenInput, required=False)
    how = forms.ChoiceField(choices=HowEnded.choices, widget=forms.HiddenInput)
    reason = forms.CharField(min_length=5, max_length=500, help_text="Recorded with the session.")

    def session(self) -> Session | None:
        """The one that was shown, if it still exists and, to cancel, runs the same statement."""
        given = self.cleaned_data
        for session in sessions():
            same = session.pid == given["pid"] and session.began.isoformat() == given["began"]
            query_start = session.query_start.isoformat() if session.query_start else ""
            same_query = query_start == given["query_start"]
            if same and (given["how"] == HowEnded.TERMINATED or same_query):
                return session
        return None


@page(END)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: Any) -> HttpResponse:
    """GET asks for the reason; POST ends the session."""
    posted = request.method == "POST"
    form = EndForm(request.POST) if posted else EndForm(initial=request.GET.dict())
    if not posted or not form.is_valid():
        return show(request, "end_session", "End a session", form=form)
    how = HowEnded(form.cleaned_data["how"])
    session = form.session()
    if session is None:
        messages.info(request, "The session has ended or moved on to another statement.")
    elif not session.is_ours:
        messages.error(
            request,
            f"This login can only end its own sessions. As {session.login} or an administrator,"
            f" run: SELECT pg_terminate_backend({session.pid})",
        )
    else:
        by, reason = request.user.get_username(), form.cleaned_data["reason"]
        record = end_session(session, how, by=by, reason=reason)
        if record.succeeded:
            messages.success(request, f"Process {session.pid}: {record.get_how_display()}.")
        else:
            messages.info(request, "The session had already ended.")
    return redirect("database:sessions")
