"""The scope of one HTTP request: entered from its credentials, ended by ScopeMiddleware."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, TypeVar, overload

from tenancy.scope import Scope, active_scope, current_scope, tenant

T = TypeVar("T")


def enter_line(request: Any, phone_id: str) -> None:
    """Confine the rest of a request, Django's or REST framework's, to the line of its credentials.

    Call it once who is asking is known, before the first row is read. ScopeMiddleware ends it.
    Raises RuntimeError inside a scope: a request does not change lines.
    """
    if active_scope() is not None:
        raise RuntimeError("This request is in a scope already")
    request.scopes.enter_context(tenant(phone_id))


@overload
def stream(chunks: AsyncIterable[T]) -> AsyncIterator[T]: ...
@overload
def stream(chunks: Iterable[T]) -> Iterator[T]: ...
def stream(chunks: Iterable[T] | AsyncIterable[T]) -> Iterator[T] | AsyncIterator[T]:
    """The same chunks, each made in the scope that is active now.

    For StreamingHttpResponse, whose content is made when the middleware has ended the scope:
    StreamingHttpResponse(stream(rows)). Raises NoTenantActive without a scope.
    """
    scope = current_scope()
    if isinstance(chunks, AsyncIterable):
        return _AsyncStream(scope, chunks)
    return _each_in(scope, chunks)


def _each_in(scope: Scope, chunks: Iterable[T]) -> Iterator[T]:
    iterator = iter(chunks)
    try:
        while True:
            # Left before each yield: whoever iterates is not inside.
            with scope.again():
                try:
                    chunk = next(iterator)
                except StopIteration:
                    return
            yield chunk
    finally:
        if close := getattr(iterator, "close", None):
            with scope.again():
                close()


class _AsyncStream(AsyncIterator[T]):
    def __init__(self, scope: Scope, chunks: AsyncIterable[T]) -> None:
        self.scope = scope
        self.iterator = aiter(chunks)

    async def __anext__(self) -> T:
        with self.scope.again():
            return await anext(self.iterator)
