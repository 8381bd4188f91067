"""Every tenant model by every entry point of the ORM: refused without a scope, confined in one."""

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection, transaction
from django.db.models import Model, QuerySet
from django.db.models.query import RawQuerySet
from django.test.utils import CaptureQueriesContext

from calls.models import Call
from tenancy import NoTenantActive, active_scope, all_tenants, no_tenant, tenant
from tenancy.models import TenantManager, TenantQuerySet
from tenancy.readonly import ReadOnlyTable
from tenants.models import ConversationRule
from tests.isolation import entry_points
from tests.isolation.conftest import Lines
from tests.isolation.entry_points import (
    ASYNC_READERS,
    ASYNC_WRITERS,
    BUILDERS,
    BUILT,
    IN_MEMORY,
    NOT_APPLICABLE,
    READERS,
    VALIDATION,
    WRITERS,
    EntryPoint,
    is_read_only,
)
from tests.isolation.rows import MAKERS, tenant_models

ALL_READERS = READERS | ASYNC_READERS
ALL_WRITERS = WRITERS | ASYNC_WRITERS

Scopes = Callable[[], AbstractContextManager[object]]


class _RollBack(Exception):
    """Ends a transaction that nothing should come of."""


def run(entry_point: EntryPoint, model: Any, row: Any, scope: Scopes) -> Any:
    """Run it in the scope, in a transaction that is rolled back."""
    if inspect.iscoroutinefunction(entry_point):
        entry_point = async_to_sync(entry_point)
    result = None
    with suppress(_RollBack), transaction.atomic():
        with scope():
            result = entry_point(model, row)
        raise _RollBack
    return result


def outcome(entry_point: EntryPoint, model: Any, row: Any, scope: Scopes) -> Any:
    """What it returned, or the error it raised."""
    try:
        return run(entry_point, model, row, scope)
    except (NoTenantActive, ReadOnlyTable, DatabaseError) as error:
        return error


Count = Callable[[int], None]


def for_each(entry_points: dict[str, EntryPoint], check: Callable[[EntryPoint], int]) -> int:
    """Check every entry point, and only then fail, with all that failed.

    A check returns how many of its assertions held: 0 where the entry point is not applicable.
    """
    held, failures = 0, []
    for name, entry_point in entry_points.items():
        try:
            held += check(entry_point)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            failures.append(f"{name}: {type(error).__name__}: {error}")
    if failures:
        pytest.fail(f"{len(failures)} of {len(entry_points)}:\n" + "\n".join(failures))
    return held


def test_without_scope_is_refused_before_any_sql(
    lines: Lines, model: Any, count_assertion: Count
) -> None:
    refusals = (NoTenantActive, ReadOnlyTable) if is_read_only(model) else NoTenantActive

    row = lines.row(model)

    def check(entry_point: EntryPoint) -> int:
        with CaptureQueriesContext(connection) as sent:
            result = outcome(entry_point, model, deepcopy(row), no_tenant)
        assert not any(model._meta.db_table in query["sql"] for query in sent.captured_queries)
        if result is NOT_APPLICABLE:
            return 0
        assert isinstance(result, refusals)
        return 1

    count_assertion(for_each(ALL_READERS | ALL_WRITERS, check))


def test_reading_in_a_scope_sees_its_line_alone(
    lines: Lines, model: Any, count_assertion: Count
) -> None:
    rows = {line.pk: lines.row(model, line) for line in (lines.line, lines.other)}

    def check(entry_point: EntryPoint) -> int:
        for line, row in rows.items():
            seen = run(entry_point, model, deepcopy(row), partial(tenant, line))
            if seen is NOT_APPLICABLE:
                return 0
            assert seen in ({line}, 1, None)
        return 2

    count_assertion(for_each(ALL_READERS, check))


def test_reading_in_all_lines_sees_both(lines: Lines, model: Any, count_assertion: Count) -> None:
    row = lines.row(model)

    def check(entry_point: EntryPoint) -> int:
        seen = run(entry_point, model, deepcopy(row), partial(all_tenants, "test"))
        if seen is NOT_APPLICABLE:
            return 0
        # An entry point that answers with one row sees one of them.
        assert seen in (lines.ids, 2, None) or (isinstance(seen, set) and seen < lines.ids)
        return 1

    count_assertion(for_each(ALL_READERS, check))


def test_writing_another_lines_row_is_refused_or_finds_nothing(
    lines: Lines, model: Any, count_assertion: Count
) -> None:
    theirs = lines.row(model, lines.other)

    def check(entry_point: EntryPoint) -> int:
        result = outcome(entry_point, model, deepcopy(theirs), partial(tenant, lines.line.pk))
        if result is NOT_APPLICABLE:
            return 0
        if isinstance(result, DatabaseError):
            # A table that a line may only read: refused by its grants.
            assert is_read_only(model)
            assert "permission denied" in str(result)
        else:
            assert isinstance(result, (NoTenantActive, ReadOnlyTable)) or result == 0
        assert lines.other.pk not in str(result)
        assert lines.row(model, lines.other).pk is not None
        return 1

    count_assertion(for_each(ALL_WRITERS, check))


def test_a_table_reports_all_that_failed() -> None:
    def check(entry_point: EntryPoint) -> int:
        return int(entry_point(None, None))

    table: dict[str, EntryPoint] = {
        "count": lambda model, row: 1 / 0,
        "get": lambda model, row: 1,
        "update": lambda model, row: int("none"),
    }
    with pytest.raises(pytest.fail.Exception, match=r"2 of 3:\ncount: Zero.*\nupdate: ValueError"):
        for_each(table, check)


@pytest.mark.parametrize("name", BUILT)
def test_building_a_query_needs_no_scope(lines: Lines, name: str) -> None:
    with no_tenant(), CaptureQueriesContext(connection) as sent:
        BUILT[name](Call.objects.all())
    assert not sent.captured_queries


def test_none_is_empty_in_any_scope(lines: Lines) -> None:
    with tenant(lines.line.pk):
        assert list(Call.objects.none()) == []


def test_a_deferred_row_of_another_line_is_not_saved(lines: Lines) -> None:
    with all_tenants("test"):
        theirs = Call.objects.only("caller_number").get(phone=lines.other)
    theirs.caller_number = "+14155550000"
    with tenant(lines.line.pk), pytest.raises(DatabaseError, match="did not affect any rows"):
        theirs.save()


def test_a_row_cannot_be_moved_to_another_line(lines: Lines) -> None:
    rule: Any = ConversationRule.objects
    with tenant(lines.line.pk):
        row = rule.get()
        row.phone = lines.other
        with pytest.raises(NoTenantActive):
            row.save()
        with (
            pytest.raises(DatabaseError, match="row-level security policy"),
            transaction.atomic(),
        ):
            rule.update(phone=lines.other)


def _public(owner: type) -> set[str]:
    return {
        name for name in dir(owner) if not name.startswith("_") and callable(getattr(owner, name))
    }


def test_completeness_of_models() -> None:
    """A new tenant model gets a maker in rows.py, and so every test of the table."""
    assert set(tenant_models()) == set(MAKERS)


def test_completeness_of_entry_points() -> None:
    """A method that a new Django, or we, give to querysets and models joins the table."""
    names = {name.split()[0].removeprefix("Model.") for name in ALL_READERS | ALL_WRITERS}
    known = names | BUILDERS | IN_MEMORY | VALIDATION
    managers = {"check", "contribute_to_class", "db_manager", "deconstruct", "from_queryset"}
    managers |= {"get_queryset"}
    assert _public(QuerySet) - known == set()
    assert _public(TenantQuerySet) - known == set()
    assert _public(RawQuerySet) - known - {"resolve_model_init_order"} == set()
    assert _public(TenantManager) - known - managers == set()
    assert _public(Model) - known - {"DoesNotExist", "MultipleObjectsReturned", "NotUpdated"} == (
        set()
    )
    special = {"__iter__", "__aiter__", "__len__", "__bool__", "__getitem__", "__repr__"}
    special |= {"__and__", "__or__", "__xor__"}
    assert special <= names
    assert {name for name in vars(QuerySet) if name in special} == special


def test_every_manager_of_a_tenant_model_filters() -> None:
    for model in tenant_models():
        for manager in [*model._meta.managers, model._base_manager, model._default_manager]:
            assert isinstance(manager, TenantManager), (model, manager)


def test_no_scope_is_left_behind() -> None:
    assert active_scope() is None
    assert entry_points.BUILDERS.isdisjoint(READERS)
