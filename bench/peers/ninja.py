"""django-ninja: pydantic in the place of serializers, a keyset by hand.

With our credentials look-up, throttle and scope, and the whole middleware.
"""

import os
from datetime import datetime
from typing import Any
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
settings.ROOT_URLCONF = __name__

from django.core import signing  # noqa: E402
from django.db.models import Q  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI, Schema  # noqa: E402
from ninja.errors import HttpError  # noqa: E402
from ninja.security import APIKeyHeader  # noqa: E402
from rest_framework.exceptions import AuthenticationFailed  # noqa: E402

from calls.models import Call  # noqa: E402
from replytics.urls.all import urlpatterns as ours  # noqa: E402
from tenancy.request_scope import enter_line  # noqa: E402
from tenants.api.authentication import ApiKeyAuthentication  # noqa: E402

find_client = ApiKeyAuthentication().find_client


class Key(APIKeyHeader):
    param_name = "Authorization"

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        try:
            client = find_client((key or "").removeprefix("Api-Key "), wanted=None)
        except AuthenticationFailed:
            return None
        if "read" not in client.scopes:
            return None
        if client.budget.is_exceeded:
            raise HttpError(429, "too many")
        enter_line(request, client.phone_id)
        return client


class CallOut(Schema):
    id: UUID
    phone_id: str
    caller_number: str
    call_sid: str
    status: str
    duration: int
    recording_url: str | None
    transcript: str | None
    ai_summary: str | None
    created_at: datetime
    updated_at: datetime
    ai_confidence: float | None
    provider_status: str | None


class Page(Schema):
    results: list[CallOut]
    next: str | None


api = NinjaAPI(auth=Key())


@api.get("/calls/", response=Page)
def calls(request: HttpRequest, limit: int = 20, cursor: str | None = None) -> Any:
    rows = Call.objects.order_by("-created_at", "-id")
    if cursor is not None:
        at, pk = signing.loads(cursor)
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
    page = list(rows[: limit + 1])
    more = len(page) > limit
    last = page[limit - 1] if more else None
    following = signing.dumps([last.created_at.isoformat(), str(last.pk)]) if last else None
    return {"results": page[:limit], "next": following}


urlpatterns = [path("", api.urls), *ours]
