"""Who asks: a program of one line, by its API key."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenants.credentials import ApiKey, hash_secret
from tenants.scoping import tenant

KEY = re.compile(r"([0-9a-f]{12})\.([A-Za-z0-9_-]{43})")
USE_IS_NOTED_EVERY = timedelta(minutes=1)

# One look-up by api_keys_prefix_key. A revoked or expired key is not found, from that moment on.
FIND = "SELECT id, phone_id, name, scopes, last_used_at FROM app.find_api_key(%s, %s)"


@dataclass(frozen=True)
class ApiClient:
    """The program that holds a key: request.user and request.auth."""

    key_id: UUID
    phone_id: str
    name: str
    scopes: frozenset[str]
    is_authenticated: bool = True


class ApiKeyAuthentication(BaseAuthentication):
    """Authorization: Api-Key <prefix>.<secret>"""

    keyword = "Api-Key"

    def authenticate(self, request: Request) -> tuple[ApiClient, ApiClient] | None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.keyword.lower():
            return None
        form = KEY.fullmatch(given.strip())
        if form is None or (client := find_client(prefix=form[1], secret=form[2])) is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        return client, client

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


def find_client(*, prefix: str, secret: str) -> ApiClient | None:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [prefix, hash_secret(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    key_id, phone_id, name, scopes, last_used_at = row
    _note_use(key_id, phone_id, last_used_at, now=timezone.now())
    return ApiClient(key_id, phone_id, name, frozenset(scopes))


def _note_use(key_id: Any, phone_id: str, last_used_at: datetime | None, *, now: datetime) -> None:
    """At most once a minute, so that a busy key is not a row that every request writes."""
    stale = now - USE_IS_NOTED_EVERY
    if last_used_at is None or last_used_at < stale:
        with tenant(phone_id):
            unnoted = ApiKey.objects.filter(pk=key_id).exclude(last_used_at__gte=stale)
            unnoted.update(last_used_at=now)
