"""Stores the response to each Idempotency-Key of a line."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from api.models import IdempotencyKey
from database import exact_json
from tenancy import all_tenants
from tenancy.scope import current_scope

KEY = re.compile(r"[\x21-\x7e]{1,255}")
MAX_AGE = timedelta(days=1)


class KeyReused(Exception):
    """The Idempotency-Key was used for a different request."""


@dataclass(frozen=True)
class Claim:
    """A key claimed by this transaction; `answer` is set if it was used before."""

    key: str
    status: int | None
    answer: dict[str, Any] | None

    def store(self, status: int, answer: dict[str, Any]) -> None:
        """Store the answer; takes effect when the surrounding transaction commits."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE idempotency_keys SET status = %s, answer = %s"
                " WHERE phone_id = %s AND key = %s",
                [status, exact_json.dumps(answer), current_scope().phone_id, self.key],
            )


def hash_request(*parts: bytes) -> str:
    """One digest of all parts, each with its length so that none runs into the next."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


# A second request with the same key waits here until the first one commits or rolls back.
CLAIM = """
INSERT INTO idempotency_keys (phone_id, key, request_hash)
VALUES (%(phone_id)s, %(key)s, %(request_hash)s)
ON CONFLICT (phone_id, key) DO NOTHING
"""


def claim(*, key: str, request_hash: str) -> Claim:
    """Claim a key for the rest of the surrounding transaction. Raises KeyReused."""
    assert transaction.get_connection().in_atomic_block
    values = {"phone_id": current_scope().phone_id, "key": key, "request_hash": request_hash}
    earlier = None
    while earlier is None:
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, values)
            if cursor.rowcount == 1:
                return Claim(key, None, None)
        # None if the key was forgotten since: a day has passed, so it is free again.
        earlier = IdempotencyKey.objects.filter(key=key).first()
    if earlier.request_hash != request_hash:
        raise KeyReused
    return Claim(key, earlier.status, earlier.answer)


def forget_idempotency_keys(*, now: datetime) -> int:
    """Delete the keys older than a day; returns how many."""
    with all_tenants("forgetting old idempotency keys"):
        deleted: int = IdempotencyKey.objects.filter(created_at__lt=now - MAX_AGE).delete()[0]
    return deleted
