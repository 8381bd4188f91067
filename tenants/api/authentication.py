"""Which line a request is for: by the API key of a program, or the token of a user.

A process uses what it found for at most a second. So a revoked key and a membership that ended
are refused within one, and a busy client costs one look-up a second.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed, ParseError

from api import rate_limit
from api.clients import ApiClient, HeaderAuthentication, NoSuchLine
from api.permissions import KeyScope
from api.tokens import subject_of
from database.prepared import Statement
from tenancy import tenant
from tenants.credentials import ApiKey, hash_secret
from tenants.memberships import MembershipRole

KEY = re.compile(r"([0-9a-f]{12})\.([A-Za-z0-9_-]{43})")
USE_IS_NOTED_EVERY = timedelta(minutes=1)
# Look-ups that a process holds: more than it answers requests in a second.
MAX_CACHED = 2_000

# By api_keys_prefix_key. A revoked or expired key is not found.
FIND_KEY = Statement(
    """
SELECT id, phone_id, name, scopes, coalesce(last_used_at < now() - interval '1 minute', true)
FROM app.find_api_key(%(prefix)s, %(hash)s)
""",
    prefix="text",
    hash="text",
)
# At most two rows: whether there are several lines to choose from. By idx_memberships_subject.
FIND_MEMBERSHIPS = Statement(
    "SELECT phone_id, role FROM app.find_memberships(%(subject)s, %(wanted)s)",
    subject="text",
    wanted="text",
)

# Replaced by tests. Seconds.
clock: Callable[[], float] = time.monotonic


class FoundKey(NamedTuple):
    id: UUID
    phone_id: str
    name: str
    scopes: frozenset[str]


class FoundMembership(NamedTuple):
    phone_id: str
    scopes: frozenset[str]


class ApiKeyAuthentication(HeaderAuthentication):
    """Authorization: Api-Key <prefix>.<secret>"""

    keyword = "Api-Key"

    def find_client(self, credentials: str, *, wanted: str | None) -> ApiClient:
        form = KEY.fullmatch(credentials)
        if form is None:
            raise UnknownKey
        prefix, secret = form.groups()
        key = find_key(prefix, hash_secret(secret), int(clock()))
        budget = rate_limit.spend(credential=f"key:{key.id}", phone_id=key.phone_id)
        if wanted not in (None, key.phone_id):
            raise NoSuchLine
        return ApiClient(key.phone_id, key.name, key.scopes, budget)


class TokenAuthentication(HeaderAuthentication):
    """Authorization: Bearer <JWT of the login service>"""

    keyword = "Bearer"

    def find_client(self, credentials: str, *, wanted: str | None) -> ApiClient:
        subject, claimed = subject_of(credentials)
        found = find_membership(subject, wanted or claimed, int(clock()))
        budget = rate_limit.spend(credential=f"user:{subject}", phone_id=found.phone_id)
        return ApiClient(found.phone_id, subject, found.scopes, budget)


class UnknownKey(AuthenticationFailed):
    default_detail = "The API key is unknown, expired or revoked."


# A cache for one second: `second` is of clock(), read before PostgreSQL is asked. What is not
# found is an exception, which lru_cache does not keep: a guess is looked up each time.
@lru_cache(maxsize=MAX_CACHED)
def find_key(prefix: str, secret_hash: str, second: int) -> FoundKey:
    """Raises UnknownKey."""
    rows = FIND_KEY.fetch_all({"prefix": prefix, "hash": secret_hash})
    if not rows:
        raise UnknownKey
    [(key_id, phone_id, name, scopes, is_unnoted)] = rows
    if is_unnoted:
        _note_use(key_id, phone_id, now=timezone.now())
    return FoundKey(key_id, phone_id, name, frozenset(scopes))


@lru_cache(maxsize=MAX_CACHED)
def find_membership(subject: str, wanted: str | None, second: int) -> FoundMembership:
    """The user in the wanted line, or in the only one. Raises NoSuchLine or ParseError."""
    rows = FIND_MEMBERSHIPS.fetch_all({"subject": subject, "wanted": wanted})
    if not rows:
        raise NoSuchLine
    if len(rows) > 1:
        raise ParseError("You have several lines. Name one in the X-Phone-Id header.")
    [(phone_id, role)] = rows
    scopes = {KeyScope.READ}
    if role == MembershipRole.EDITOR:
        scopes.add(KeyScope.WRITE)
    return FoundMembership(phone_id, frozenset(scopes))


def forget_credentials() -> None:
    """Begin as a new process does."""
    find_key.cache_clear()
    find_membership.cache_clear()


def _note_use(key_id: Any, phone_id: str, *, now: datetime) -> None:
    """At most once a minute, so that a busy key is not a row that every request writes."""
    with tenant(phone_id):
        unnoted = ApiKey.objects.filter(pk=key_id).exclude(
            last_used_at__gte=now - USE_IS_NOTED_EVERY
        )
        unnoted.update(last_used_at=now)
