"""Assertions that more than one test makes: of the code as it is, and of broken copies of it."""

from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, connections, transaction

from calls.models import Call
from tenancy import NoTenantActive, no_tenant, tenant

LINES = "SELECT DISTINCT phone_id FROM calls"


def seen(alias: str) -> set[str]:
    """The lines whose calls raw SQL sees."""
    with connections[alias].cursor() as cursor:
        cursor.execute(LINES)
        return {line for (line,) in cursor.fetchall()}


def assert_nothing_left(alias: str) -> None:
    """The connection is as it was before any scope."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('app.phone_id', true), ''),"
            " current_user = session_user"
        )
        assert cursor.fetchone() == ("", True)
    with pytest.raises(ProgrammingError, match="no tenant is active"):
        seen(alias)


def assert_scope_ends_inside_a_transaction(lines: Any, alias: str) -> None:
    with transaction.atomic(using=alias):
        with tenant(lines.line.pk):
            assert seen(alias) == {lines.line.pk}
        with pytest.raises(ProgrammingError, match="no tenant is active"):
            seen(alias)
        transaction.set_rollback(True, using=alias)


def assert_aborted_transactions_end(lines: Any, alias: str) -> None:
    with transaction.atomic(using=alias), tenant(lines.line.pk):
        for _ in range(2):
            with pytest.raises(DatabaseError, match="division by zero"):
                with transaction.atomic(using=alias):
                    connections[alias].cursor().execute("SELECT 1 / 0")
            assert seen(alias) == {lines.line.pk}
    assert_nothing_left(alias)


def assert_the_manager_refuses_without_scope() -> None:
    with no_tenant(), pytest.raises(NoTenantActive):
        Call.objects.count()
