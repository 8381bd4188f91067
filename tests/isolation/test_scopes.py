"""Where a scope holds: in its block, on its thread, and nowhere else."""

import asyncio
import contextvars
import logging
import multiprocessing
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections

from calls.models import Call
from tenancy import NoTenantActive, active_scope, all_tenants, no_tenant, tenant
from tenancy.request_scope import stream
from tenancy.scope import ScopeOnEventLoop
from tests.isolation.conftest import Lines


def count_or_refusal() -> int | str:
    try:
        return int(Call.objects.count())
    except NoTenantActive:
        return "refused"


def in_own_thread() -> int | str:
    try:
        return count_or_refusal()
    finally:
        connections.close_all()


def here() -> str | None:
    scope = active_scope()
    return scope.phone_id if scope else None


def test_a_lazy_queryset_follows_the_scope_of_its_evaluation(lines: Lines) -> None:
    with no_tenant():
        built = Call.objects.filter(duration__gte=0)
    with tenant(lines.line.pk):
        built = built.exclude(duration__lt=0)
    with tenant(lines.other.pk):
        assert {call.phone_id for call in built} == {lines.other.pk}
    with tenant(lines.line.pk):
        assert {call.phone_id for call in built.all()} == {lines.line.pk}
        # An evaluated queryset is a list: what it holds is not filtered again.
        assert {call.phone_id for call in built} == {lines.other.pk}


def test_an_iterator_reads_in_the_scope_of_its_first_row(lines: Lines) -> None:
    with tenant(lines.line.pk):
        rows = Call.objects.iterator()
    with tenant(lines.other.pk):
        assert next(rows).phone_id == lines.other.pk


def test_nested_blocks_give_the_outer_scope_back(lines: Lines) -> None:
    with tenant("pn_a"):
        with all_tenants("test"), no_tenant():
            assert active_scope() is None
        with suppress(ZeroDivisionError), tenant("pn_b"):
            raise ZeroDivisionError
        assert here() == "pn_a"
    assert active_scope() is None


def test_blocks_may_end_out_of_order() -> None:
    first, second = tenant("pn_a"), tenant("pn_b")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert here() == "pn_b"
    second.__exit__(None, None, None)
    assert active_scope() is None


def test_a_scope_is_entered_once_at_a_time() -> None:
    scope = tenant("pn_a")
    with scope, pytest.raises(RuntimeError, match="entered already"), scope:
        pass
    with scope:
        assert here() == "pn_a"


@pytest.mark.parametrize("wrong", ["", "pn'a", "a b", "x" * 65, "é", None, 7, "pn_a\n"])
def test_what_cannot_be_an_id_is_refused(wrong: Any) -> None:
    with pytest.raises(NoTenantActive):
        tenant(wrong)


@pytest.mark.parametrize("reason", ["", "  "])
def test_all_tenants_needs_a_reason(reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        all_tenants(reason)


def test_all_tenants_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "replytics.audit"), all_tenants("nightly roll-up"):
        pass
    assert [record.getMessage() for record in caplog.records] == ["all tenants: nightly roll-up"]


def test_a_suspended_generator_does_not_let_its_caller_in(lines: Lines) -> None:
    def calls() -> Generator[Any, None, None]:
        with tenant(lines.line.pk):
            yield here()
            yield from Call.objects.all()

    reading = calls()
    assert next(reading) == lines.line.pk
    assert active_scope() is None
    assert count_or_refusal() == "refused"
    assert next(reading).phone_id == lines.line.pk
    reading.close()
    assert active_scope() is None


def test_interleaved_generators_do_not_mix(lines: Lines) -> None:
    def calls(line: str) -> Generator[str, None, None]:
        with tenant(line):
            yield "entered"
            yield str(Call.objects.get().phone_id)

    first, second = calls(lines.line.pk), calls(lines.other.pk)
    assert next(first) == next(second) == "entered"
    assert next(second) == lines.other.pk
    # The first one's scope was replaced: it fails rather than read the other line.
    with pytest.raises(NoTenantActive):
        next(first)
    second.close()


def test_a_stack_inside_a_generator_counts_as_the_generator() -> None:
    def holding() -> Generator[None, None, None]:
        with ExitStack() as stack:
            stack.enter_context(tenant("pn_a"))
            yield

    reading = holding()
    next(reading)
    assert active_scope() is None
    reading.close()


def test_context_managers_may_enter_a_scope() -> None:
    @contextmanager
    def at_work() -> Iterator[None]:
        with tenant("pn_a"):
            yield

    with at_work():
        assert here() == "pn_a"


def test_stream_makes_each_chunk_in_its_scope(lines: Lines) -> None:
    closed_in = []

    def chunks() -> Iterator[Any]:
        try:
            for call in Call.objects.all():
                yield call.phone_id
            yield here()
            yield "never read"
        finally:
            closed_in.append(here())

    with tenant(lines.line.pk):
        streamed = stream(chunks())
    with tenant(lines.other.pk):
        assert next(streamed) == lines.line.pk
        assert here() == lines.other.pk
    assert next(streamed) == lines.line.pk
    assert active_scope() is None
    streamed.close()  # type: ignore[attr-defined]
    assert closed_in == [lines.line.pk]
    with pytest.raises(NoTenantActive):
        stream([1])


def test_threads_do_not_inherit(lines: Lines) -> None:
    found: list[object] = []
    with tenant(lines.line.pk), ThreadPoolExecutor(1) as pool:
        thread = threading.Thread(target=lambda: found.append(in_own_thread()))
        thread.start()
        thread.join()
        found.append(pool.submit(in_own_thread).result())
        # Nor when the context is carried over by hand.
        found.append(pool.submit(contextvars.copy_context().run, in_own_thread).result())
    assert found == ["refused"] * 3


def test_a_copied_context_holds_on_the_same_thread_while_the_block_runs(lines: Lines) -> None:
    with tenant(lines.line.pk):
        context = contextvars.copy_context()
        assert context.run(count_or_refusal) == 1
    assert context.run(count_or_refusal) == "refused"


def _report_scope(queue: Any) -> None:
    queue.put(here())


def test_forked_processes_do_not_inherit() -> None:
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    with tenant("pn_a"):
        process = fork.Process(target=_report_scope, args=(queue,))
        process.start()
        process.join()
        assert here() == "pn_a"
    assert queue.get() is None


def test_a_scope_cannot_be_entered_on_a_running_loop() -> None:
    async def main() -> None:
        for scope in (tenant("pn_a"), all_tenants("test")):
            with pytest.raises(ScopeOnEventLoop, match="sync_to_async"), scope:
                pass
        assert active_scope() is None

    asyncio.run(main())


async def acount_or_refusal() -> int | str:
    try:
        return int(await Call.objects.acount())
    except NoTenantActive:
        return "refused"


def test_tasks_do_not_inherit(lines: Lines) -> None:
    async def main() -> list[int | str]:
        found = [await acount_or_refusal(), await asyncio.create_task(acount_or_refusal())]
        found.append(await asyncio.to_thread(in_own_thread))
        await sync_to_async(connections.close_all)()
        assert active_scope() is None
        return found

    with tenant(lines.line.pk):
        assert asyncio.run(main()) == ["refused"] * 3
        assert count_or_refusal() == 1


def test_a_function_that_a_loop_runs_in_a_thread_enters_its_own(lines: Lines) -> None:
    def count() -> int | str:
        with tenant(lines.line.pk):
            return in_own_thread()

    async def main() -> list[int | str]:
        return [await sync_to_async(count)(), await asyncio.to_thread(count)]

    assert asyncio.run(main()) == [1, 1]


def test_a_coroutine_that_a_block_waits_for_queries_in_its_scope(lines: Lines) -> None:
    """async_to_sync() runs the queries on the thread of the block, which waits."""
    with tenant(lines.line.pk):
        assert async_to_sync(acount_or_refusal)() == 1
    assert async_to_sync(acount_or_refusal)() == "refused"
