"""Who asks: a program by its API key, a user by a token of the login service.

Each of them ends as one ApiClient: a line, and what may be done in it.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    AuthenticationFailed,
    NotFound,
    ParseError,
)
from rest_framework.request import Request

from api.tokens import subject_of
from database.prepared import Statement, fetch_together
from tenancy import tenant
from tenants.credentials import ApiKey, KeyScope, hash_secret
from tenants.memberships import MembershipRole

KEY = re.compile(r"([0-9a-f]{12})\.([A-Za-z0-9_-]{43})")
USE_IS_NOTED_EVERY = timedelta(minutes=1)
WINDOW = 60  # seconds

# One look-up by api_keys_prefix_key, and the request counted for the key and its line. A revoked
# or expired key is not found, from that moment on.
FIND_KEY = Statement(
    """
SELECT id, phone_id, name, scopes, coalesce(last_used_at < now() - interval '1 minute', true),
    used, resets_in
FROM app.find_api_key(%(prefix)s, %(hash)s) AS k
CROSS JOIN LATERAL app.count_request(ARRAY['key:' || k.id, 'line:' || k.phone_id], %(window)s)
""",
    prefix="text",
    hash="text",
    window="integer",
)
# At most two rows: whether there are several lines to choose from. By idx_memberships_subject.
FIND_MEMBERSHIPS = Statement(
    """
SELECT phone_id, role, used, resets_in FROM app.find_memberships(%(subject)s, %(wanted)s) AS m
CROSS JOIN LATERAL app.count_request(
    ARRAY['key:' || md5(%(subject)s), 'line:' || m.phone_id], %(window)s)
""",
    subject="text",
    wanted="text",
    window="integer",
)

# Of which line a key was when it was last used, by its hash: a guess, in whose scope the view's
# statement may travel together with the look-up that confirms it. It opens nothing by itself.
_lines: dict[str, str] = {}
MAX_LINES = 10_000


@dataclass(frozen=True)
class Budget:
    """Requests used in the running window by the credential and by its line."""

    used: list[int]
    resets_in: int  # seconds

    @cached_property
    def left(self) -> tuple[int, int]:
        """Of the credential and of its line; below zero once too many were made."""
        by_key, by_line = self.used
        return settings.API_REQUESTS_PER_KEY - by_key, settings.API_REQUESTS_PER_LINE - by_line

    @property
    def is_exceeded(self) -> bool:
        return min(self.left) < 0

    def headers(self) -> dict[str, str]:
        """https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"""
        of_key, of_line = (max(0, left) for left in self.left)
        by_key, by_line = settings.API_REQUESTS_PER_KEY, settings.API_REQUESTS_PER_LINE
        ends = self.resets_in
        return {
            "RateLimit-Policy": f'"key";q={by_key};w={WINDOW}, "line";q={by_line};w={WINDOW}',
            "RateLimit": f'"key";r={of_key};t={ends}, "line";r={of_line};t={ends}',
        }


@dataclass(frozen=True)
class ApiClient:
    """Who asks, in which line: request.user and request.auth. key_id: of an API key, else None."""

    key_id: UUID | None
    phone_id: str
    name: str
    scopes: frozenset[str]
    budget: Budget
    is_authenticated: bool = True


class ApiKeyAuthentication(BaseAuthentication):
    """Authorization: Api-Key <prefix>.<secret>"""

    keyword = "Api-Key"

    def authenticate(self, request: Request) -> tuple[ApiClient, ApiClient] | None:
        given = credentials_of(request, self.keyword)
        if given is None:
            return None
        form = KEY.fullmatch(given)
        if form is None or (client := _find_client(request, *form.groups())) is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        if wanted_line(request) not in (None, client.phone_id):
            raise NoSuchLine
        return client, client

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class TokenAuthentication(BaseAuthentication):
    """Authorization: Bearer <JWT of the login service>"""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[ApiClient, ApiClient] | None:
        given = credentials_of(request, self.keyword)
        if given is None:
            return None
        subject, claimed = subject_of(given)
        client = find_user(subject=subject, wanted=wanted_line(request) or claimed)
        return client, client

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class NoSuchLine(NotFound):
    """There is no such line for these credentials, whether or not it exists."""

    default_detail = "There is no such line."


def method_of(request: Request) -> str | None:
    """By which a view's scopes are found: HEAD takes what GET takes."""
    return "GET" if request.method == "HEAD" else request.method


def credentials_of(request: Request, keyword: str) -> str | None:
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return given.strip() if scheme.lower() == keyword.lower() else None


def wanted_line(request: Request) -> str | None:
    line: str | None = request.META.get("HTTP_X_PHONE_ID")
    return line


def _find_client(request: Request, prefix: str, secret: str) -> ApiClient | None:
    """With the rows that the view is going to want, if it is known what line the key is of."""
    hashed = hash_secret(secret)
    line = _lines.get(hashed)
    if line is None:
        return find_client(prefix=prefix, secret=secret)
    view = request.parser_context["view"]
    with tenant(line):
        wanted = view.wants_ahead(request)
        found = wanted and fetch_together([wanted, (FIND_KEY, _key_values(prefix, hashed))])
    if not found:
        return find_client(prefix=prefix, secret=secret)
    rows, keys = found
    client = _client_of(keys)
    if client is None or client.phone_id != line or client.budget.is_exceeded:
        _lines.pop(hashed, None)
    else:
        view.rows_ahead = rows
    return client


def find_client(*, prefix: str, secret: str) -> ApiClient | None:
    hashed = hash_secret(secret)
    client = _client_of(FIND_KEY.fetch_first(_key_values(prefix, hashed)))
    if client is not None and not client.budget.is_exceeded:
        if len(_lines) >= MAX_LINES:
            _lines.clear()
        _lines[hashed] = client.phone_id
    return client


def _key_values(prefix: str, hashed: str) -> dict[str, Any]:
    return {"prefix": prefix, "hash": hashed, "window": WINDOW}


def _client_of(rows: list[Any]) -> ApiClient | None:
    if not rows:
        return None
    [(key_id, phone_id, name, scopes, is_unnoted, used, resets_in)] = rows
    if is_unnoted:
        _note_use(key_id, phone_id, now=timezone.now())
    return ApiClient(key_id, phone_id, name, frozenset(scopes), Budget(used, resets_in))


def find_user(*, subject: str, wanted: str | None) -> ApiClient:
    """The user in the wanted line, or in the only one. Raises NoSuchLine or ParseError."""
    values = {"subject": subject, "wanted": wanted, "window": WINDOW}
    rows = FIND_MEMBERSHIPS.fetch_first(values)
    if not rows:
        raise NoSuchLine
    if len(rows) > 1:
        raise ParseError("You have several lines; say which one in the header X-Phone-Id.")
    [(phone_id, role, used, resets_in)] = rows
    scopes = {KeyScope.READ}
    if role == MembershipRole.EDITOR:
        scopes.add(KeyScope.WRITE)
    return ApiClient(None, phone_id, subject, frozenset(scopes), Budget(used, resets_in))


def _note_use(key_id: Any, phone_id: str, *, now: datetime) -> None:
    """At most once a minute, so that a busy key is not a row that every request writes."""
    with tenant(phone_id):
        unnoted = ApiKey.objects.filter(pk=key_id).exclude(
            last_used_at__gte=now - USE_IS_NOTED_EVERY
        )
        unnoted.update(last_used_at=now)
