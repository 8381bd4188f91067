"""Begins and ends each request without a line; staff in the admin see the lines they chose."""

from collections.abc import Callable
from contextlib import ExitStack

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tenants.scoping.scope import all_tenants, no_tenant, tenant

# Session key of the line that a member of staff confined the admin to.
PICKED_LINE = "picked_line"


class ScopeMiddleware:
    """Stands after AuthenticationMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as stack:
            stack.enter_context(no_tenant())
            if request.path.startswith(reverse("admin:index")):
                user = request.user
                if user.is_authenticated and user.is_active and user.is_staff:
                    picked = request.session.get(PICKED_LINE)
                    reason = f"admin, user {user.pk}"
                    stack.enter_context(tenant(picked) if picked else all_tenants(reason))
            return self.get_response(request)
