"""Each part of the machinery is needed: without it, an assertion of the proof fails."""

import os
from pathlib import Path

import psycopg
import pytest
from _pytest.outcomes import Failed
from django.db import DatabaseError, connections
from psycopg.pq import TransactionStatus

from local.embedded import SUPERUSER, Cluster
from tenancy import guard, models, scope, tenant
from tests.isolation.conftest import Lines
from tests.isolation.proofs import (
    LINES,
    assert_aborted_transactions_end,
    assert_nothing_left,
    assert_scope_ends_inside_a_transaction,
    assert_the_manager_refuses_without_scope,
    seen,
)

BROKEN = (AssertionError, Failed, DatabaseError)


def test_without_clearing_a_scope_lasts_to_the_end_of_its_transaction(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_scope_ends_inside_a_transaction(lines, "default")
    kept = guard.scope_prefix
    monkeypatch.setattr(guard, "scope_prefix", lambda c: kept(c) if scope.active_scope() else None)
    with pytest.raises(BROKEN):
        assert_scope_ends_inside_a_transaction(lines, "default")


def test_without_the_exception_for_aborted_transactions_they_do_not_end(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_aborted_transactions_end(lines, "default")

    class NeverInError:
        INERROR = object()
        IDLE = TransactionStatus.IDLE

    monkeypatch.setattr(guard, "TransactionStatus", NeverInError)
    with pytest.raises(BROKEN):
        assert_aborted_transactions_end(lines, "default")
    connections["default"].close()


def test_without_its_filter_the_manager_answers_without_scope(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_the_manager_refuses_without_scope()
    monkeypatch.setattr(
        models.TenantManager,
        "get_queryset",
        lambda self: self._queryset_class(model=self.model, using=self._db),
    )
    with pytest.raises(BROKEN):
        assert_the_manager_refuses_without_scope()


def test_with_settings_of_the_session_something_is_left(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = scope.scope_sql
    monkeypatch.setattr(scope, "scope_sql", lambda *args: local(*args).replace("true)", "false)"))
    with tenant(lines.line.pk):
        seen("default")
    with pytest.raises(BROKEN):
        assert_nothing_left("default")
    connections["default"].close()


def test_without_the_guard_no_row_is_read(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "scope_prefix", lambda connection: None)
    with tenant(lines.line.pk), pytest.raises(DatabaseError, match="no tenant is active"):
        seen("default")


def test_with_row_level_security_off_a_scope_holds_nobody(lines: Lines) -> None:
    if "TEST_CLUSTER" not in os.environ:
        pytest.skip("the superuser's password is known on the embedded server only")
    name = connections["default"].settings_dict["NAME"]
    url = Cluster(Path(os.environ["TEST_CLUSTER"])).url(SUPERUSER, name)
    assert url is not None
    with psycopg.connect(url) as superuser, superuser.transaction(force_rollback=True):
        superuser.execute("SELECT set_config('app.phone_id', %s, true)", [lines.line.pk])
        superuser.execute("SET LOCAL ROLE replytics_web")
        assert superuser.execute(LINES).fetchall() == [(lines.line.pk,)]
        superuser.execute("SET LOCAL ROLE postgres")
        superuser.execute("ALTER TABLE calls DISABLE ROW LEVEL SECURITY")
        superuser.execute("SET LOCAL ROLE replytics_web")
        assert len(superuser.execute(LINES).fetchall()) == 2
