"""Begins and ends each request without a line; staff in the admin see the lines they chose."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from tenancy.scope import all_tenants, no_tenant, tenant
from tenants.models import PhoneNumber

# Session key of the line that a member of staff confined the admin to.
PICKED_LINE = "picked_line"


class ScopeMiddleware:
    """Stands after AuthenticationMiddleware and MessageMiddleware.

    Gives the request `scopes`, the stack of what it enters, and in the admin `picked_line`.
    """

    def __init__(self, get_response: Callable[[Any], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        with ExitStack() as request.scopes:
            request.scopes.enter_context(no_tenant())
            refused = _enter_admin(request) if _is_for_staff(request) else None
            return refused or self.get_response(request)


def _is_for_staff(request: Any) -> bool:
    """Every page of the admin except login and logout."""
    outside = {reverse("admin:login"), reverse("admin:logout")}
    return request.path.startswith(reverse("admin:index")) and request.path not in outside


def _enter_admin(request: Any) -> HttpResponseBase | None:
    """Enter the scope that staff chose; a response when the request cannot be answered in it."""
    user = request.user
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return None
    picked = request.session.get(PICKED_LINE)
    if picked is None:
        request.scopes.enter_context(all_tenants(f"admin, user {user.pk}"))
        return None
    request.scopes.enter_context(tenant(picked))
    request.picked_line = PhoneNumber.objects.filter(pk=picked).first()
    if request.picked_line is not None:
        return None
    # Do not continue with all lines: the request was meant for the deleted one.
    del request.session[PICKED_LINE]
    messages.warning(
        request,
        "The line you worked in was deleted. You are now viewing all lines; nothing was changed.",
    )
    return redirect("admin:index")
