"""The scope of one HTTP request: entered from its credentials, ended with the request."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tenancy.scope import Scope, active_scope, current_scope, tenant

T = TypeVar("T")


def enter_line(request: Any, phone_id: str) -> None:
    """Confine the rest of a request, Django's or REST framework's, to the line of its credentials.

    Call it once who is asking is known, before the first row is read. Whoever made request.scopes
    (ScopeMiddleware, LineView) ends it.
    Raises RuntimeError inside a scope: a request does not change lines.
    """
    if active_scope() is not None:
        raise RuntimeError("This request is in a scope already")
    request.scopes.enter_context(tenant(phone_id))


def stream(chunks: Iterable[T]) -> Iterator[T]:
    """The same chunks, each made in the scope that is active now.

    For StreamingHttpResponse, whose content is made when the middleware has ended the scope:
    StreamingHttpResponse(stream(rows)). Raises NoTenantActive without a scope.
    """
    return _each_in(current_scope(), chunks)


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
