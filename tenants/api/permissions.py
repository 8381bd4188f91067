"""What a key may do."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants.api.authentication import ApiClient


class HasScope(BasePermission):
    """The key has the scope that the view asks for; a method that names none is closed."""

    message = "This API key lacks the scope for that."

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = view.scopes.get(request.method)
        client = request.auth
        return isinstance(client, ApiClient) and needed is not None and needed in client.scopes
