"""What a client may do, and how often."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tenants.api.authentication import ApiClient, method_of


class HasScope(BasePermission):
    """The client has the scope that the view asks for; a method that names none is closed."""

    message = "These credentials lack the scope for that."

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = view.scopes.get(method_of(request))
        client = request.auth
        return isinstance(client, ApiClient) and needed is not None and needed in client.scopes


class WithinBudget(BaseThrottle):
    """The request was counted when its credentials were looked up, for all processes."""

    def allow_request(self, request: Request, view: Any) -> bool:
        assert isinstance(request.auth, ApiClient)  # HasScope let it through
        self._resets_in = request.auth.budget.resets_in
        return not request.auth.budget.is_exceeded

    def wait(self) -> float:
        return self._resets_in
