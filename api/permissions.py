"""What a client may do."""

from typing import Any

from django.db.models import TextChoices
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from api.clients import ApiClient


class KeyScope(TextChoices):
    READ = "read", "Read the line's data"
    WRITE = "write", "Change the line's settings and calls"
    INGEST = "ingest", "Deliver transcripts, summaries and recordings of calls"


class HasScope(BasePermission):
    """The client has the scope that the view requires; a method without one is closed."""

    message = "These credentials lack the required scope."

    def has_permission(self, request: Request, view: Any) -> bool:
        # HEAD requires the same as GET.
        needed = view.scopes.get("GET" if request.method == "HEAD" else request.method, ())
        any_of = {needed} if isinstance(needed, str) else needed
        client = request.auth
        return isinstance(client, ApiClient) and not client.scopes.isdisjoint(any_of)
