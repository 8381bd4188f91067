"""Threads that work in many scopes at once, and count what they saw that they should not."""

import random
import threading
from collections import Counter
from typing import Any

from django.db import DatabaseError, ProgrammingError, connections, transaction

from calls.models import Call
from tenancy import NoTenantActive, all_tenants, tenant
from tests.isolation.proofs import seen

THREADS = 12


def stress(alias: str, lines: list[str], *, operations: int, seed: int) -> Counter[str]:
    """Run that many operations in each of 12 threads; returns how often each thing happened."""
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def work(number: int) -> None:
        own: Counter[str] = Counter()
        try:
            choice = random.Random(seed + number)
            for _ in range(operations):
                _one(alias, lines, choice, own)
        finally:
            connections.close_all()
            with lock:
                counts.update(own)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


def _one(alias: str, lines: list[str], choice: random.Random, counts: Counter[str]) -> None:
    line, other = choice.sample(lines, 2)
    operation = choice.choice(
        ["orm", "sql", "none", "none in atomic", "staff", "atomic", "nested", "error", "write"]
    )
    counts["operations"] += 1
    try:
        wrong = OPERATIONS[operation](alias, line, other, set(lines))
    except Exception:
        counts["unexpected errors"] += 1
        raise
    finally:
        # As at the end of a request: a pooled connection goes back, and to another thread.
        connections[alias].close_if_unusable_or_obsolete()
    counts["violations"] += wrong


def _orm(alias: str, line: str, other: str, everything: set[str]) -> bool:
    with tenant(line):
        return {call.phone_id for call in Call.objects.using(alias)} != {line}


def _sql(alias: str, line: str, other: str, everything: set[str]) -> bool:
    with tenant(line):
        return seen(alias) != {line}


def _none(alias: str, *_: Any) -> bool:
    try:
        Call.objects.using(alias).count()
    except NoTenantActive:
        pass
    else:
        return True
    try:
        seen(alias)
    except ProgrammingError:
        return False
    return True


def _none_in_atomic(alias: str, line: str, *_: Any) -> bool:
    try:
        with transaction.atomic(using=alias):
            with tenant(line):
                seen(alias)
            seen(alias)
    except ProgrammingError:
        return False
    return True


def _staff(alias: str, line: str, other: str, everything: set[str]) -> bool:
    with all_tenants("stress"):
        return seen(alias) != everything


def _atomic(alias: str, line: str, other: str, everything: set[str]) -> bool:
    with transaction.atomic(using=alias):
        with tenant(line):
            wrong = seen(alias) != {line}
        with tenant(other):
            return wrong or seen(alias) != {other}


def _nested(alias: str, line: str, other: str, everything: set[str]) -> bool:
    with tenant(line):
        with all_tenants("stress"):
            wrong = seen(alias) != everything
        with tenant(other):
            wrong = wrong or seen(alias) != {other}
        return wrong or seen(alias) != {line}


def _error(alias: str, line: str, other: str, everything: set[str]) -> bool:
    with tenant(line):
        try:
            with transaction.atomic(using=alias):
                connections[alias].cursor().execute("SELECT 1 / 0")
        except DatabaseError:
            return seen(alias) != {line}
    return True


def _write(alias: str, line: str, other: str, everything: set[str]) -> bool:
    with tenant(line), connections[alias].cursor() as cursor:
        cursor.execute("UPDATE calls SET transcript = 'stress' WHERE phone_id = %s", [other])
        return bool(cursor.rowcount)


OPERATIONS = {
    "orm": _orm,
    "sql": _sql,
    "none": _none,
    "none in atomic": _none_in_atomic,
    "staff": _staff,
    "atomic": _atomic,
    "nested": _nested,
    "error": _error,
    "write": _write,
}
