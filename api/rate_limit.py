"""How many requests a credential and its line may make in a minute, over all processes.

PostgreSQL counts them (app.reserve_requests). A process does not ask it for each request: it takes
a lease, some requests of what is left of the minute for the credential and its line, and spends
that without asking. What is reserved counts as used, so all processes together never let more
pass than the limit. A lease is for a second: one that was spent sooner is followed by a bigger
one, what is left of an older one is given back. No lease is more than a sixteenth of what is left,
so that the last requests of a minute are counted one by one.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from database.prepared import Statement

WINDOW = 60  # seconds
LEASE_SECONDS = 1.0
MAX_LEASE = 1_000_000  # requests; the database gives less
MAX_CREDENTIALS = 10_000  # whose leases a process holds

RESERVE = Statement(
    """
SELECT granted, used, period, resets_in FROM app.reserve_requests(
    %(subjects)s, %(limits)s, %(window)s, %(wanted)s, %(unspent)s, %(period)s)
""",
    subjects="text[]",
    limits="integer[]",
    window="integer",
    wanted="integer",
    unspent="integer",
    period="bigint",
)
PRUNE = "SELECT app.prune_request_counts(%(window)s)"

# Replaced by tests. Seconds.
clock: Callable[[], float] = monotonic


@dataclass(frozen=True)
class Budget:
    """What is left of the running minute after a request, for its credential and its line."""

    left: tuple[int, int]
    resets_in: int  # seconds
    is_exceeded: bool = False

    def headers(self) -> dict[str, str]:
        """https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"""
        (of_key, of_line), ends = self.left, self.resets_in
        by_key, by_line = settings.API_REQUESTS_PER_KEY, settings.API_REQUESTS_PER_LINE
        return {
            "RateLimit-Policy": f'"key";q={by_key};w={WINDOW}, "line";q={by_line};w={WINDOW}',
            "RateLimit": f'"key";r={of_key};t={ends}, "line";r={of_line};t={ends}',
        }


class RateLimit(BaseThrottle):
    """Refuses the request that spend() found no budget for."""

    def allow_request(self, request: Request, view: Any) -> bool:
        budget: Budget = request.auth.budget  # type: ignore[union-attr]  # HasScope let it through
        self._resets_in = budget.resets_in
        return not budget.is_exceeded

    def wait(self) -> float:
        return self._resets_in


def spend(*, credential: str, phone_id: str) -> Budget:
    """Count one request of a credential and of its line."""
    return _lease(credential, phone_id).spend(now=clock())


def forget_leases() -> None:
    """Begin as a new process does."""
    _lease.cache_clear()


def prune_request_counts() -> int:
    """Delete the counters that no request used in this minute; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, {"window": WINDOW})
        deleted: int = cursor.fetchone()[0]
    return deleted


class Lease:
    """The requests that this process has reserved for a credential and its line.

    Its threads share it. None waits for another one's statement: two that find it spent both
    reserve, and what they get adds up.
    """

    def __init__(self, credential: str, phone_id: str) -> None:
        self._subjects = [credential, f"line:{phone_id}"]
        self._lock = threading.Lock()
        self._granted = self._spent = self._unspent = 0
        # Of clock(); the window's end is never later than PostgreSQL's.
        self._began = self._expires = self._resets_at = -math.inf
        self._period = 0
        self._used = self._left = (0, 0)

    def spend(self, *, now: float) -> Budget:
        with self._lock:
            is_refused = self._granted == 0
            if now < self._expires and (self._unspent or is_refused):
                return self._take(now)
            values = self._values(now)
            self._unspent = 0  # given back
        [(granted, used, period, resets_in)] = RESERVE.fetch_all(values)
        with self._lock:
            if period >= self._period:
                self._add(now, granted, used, period, resets_in, unspent=values["unspent"])
            return self._take(now)

    def _values(self, now: float) -> dict[str, Any]:
        was_spent_early = now < self._began + LEASE_SECONDS
        wanted = 2 * self._granted if was_spent_early else self._spent
        return {
            "subjects": self._subjects,
            "limits": [settings.API_REQUESTS_PER_KEY, settings.API_REQUESTS_PER_LINE],
            "window": WINDOW,
            "wanted": min(max(1, wanted), MAX_LEASE),
            "unspent": self._unspent,
            "period": self._period,
        }

    def _add(
        self,
        now: float,
        granted: int,
        used: list[int],
        period: int,
        resets_in: float,
        *,
        unspent: int,
    ) -> None:
        if period == self._period:
            mine = granted - unspent
            by_others = [new - old - mine for new, old in zip(used, self._used, strict=True)]
            passed = now - self._began
        else:
            self._unspent = 0  # of the minute before
            by_others = [new - granted for new in used]
            passed = WINDOW - resets_in
        limits = settings.API_REQUESTS_PER_KEY, settings.API_REQUESTS_PER_LINE
        self._left = tuple(  # type: ignore[assignment]
            max(0, limit - new - expected_use(others, passed))
            for limit, new, others in zip(limits, used, by_others, strict=True)
        )
        self._used = tuple(used)  # type: ignore[assignment]
        self._granted, self._spent = granted, 0
        self._unspent += granted
        self._period, self._resets_at = period, now + resets_in
        self._began, self._expires = now, min(now + LEASE_SECONDS, self._resets_at)

    def _take(self, now: float) -> Budget:
        resets_in = max(1, math.ceil(self._resets_at - now))
        if not self._unspent:
            return Budget(self._left, resets_in, is_exceeded=True)
        self._unspent -= 1
        self._spent += 1
        of_key, of_line = self._left
        return Budget((of_key + self._unspent, of_line + self._unspent), resets_in)


def expected_use(used: int, passed: float) -> int:
    """What other processes may take while a lease lasts, if they took `used` in passed seconds.

    Twice their pace, since leases double: RateLimit shall not promise what they are about to take.
    """
    return math.ceil(2 * max(0, used) * LEASE_SECONDS / max(passed, LEASE_SECONDS))


@lru_cache(maxsize=MAX_CREDENTIALS)
def _lease(credential: str, phone_id: str) -> Lease:
    return Lease(credential, phone_id)
