"""Which line the running code works for: one ContextVar that both walls read."""

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import PermissionDenied

from tenants.scoping.roles import STAFF

audit = logging.getLogger("replytics.audit")

# Also the CHECK on phone_numbers.id: an id can stand inside a quoted SQL literal as it is.
PHONE_ID = r"^[+0-9A-Za-z_:.-]{1,64}$"
_PHONE_ID = re.compile(PHONE_ID)


class NoTenantActive(PermissionDenied):
    """No scope is active: enter tenant(phone_id) or all_tenants(reason) first."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class Scope:
    """What an entered scope allows: one line, or all of them (phone_id None) for a reason."""

    __slots__ = ("_active", "_task", "phone_id", "prefix", "reason")

    def __init__(self, phone_id: str | None, reason: str = "") -> None:
        self.phone_id = phone_id
        self.reason = reason
        role = STAFF if phone_id is None else "none"
        self.prefix = scope_sql(role, phone_id or "")
        self._active = True
        self._task = _running_task()

    def end(self) -> None:
        self._active = False

    def is_usable(self) -> bool:
        """False once its block has ended, and in an asyncio task that only inherited it."""
        if not self._active:
            return False
        task = _running_task()
        return task is None or task is self._task


_scope: ContextVar[Scope | None] = ContextVar("tenants.scoping", default=None)


def scope_sql(role: str, phone_id: str) -> str:
    """The statement that carries a scope; it lasts until the end of its transaction."""
    return f"SELECT set_config('role','{role}',true),set_config('app.phone_id','{phone_id}',true);"


def _running_task() -> "asyncio.Task[object] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop in this thread
        return None


@contextmanager
def _entered(scope: Scope | None) -> Iterator[Scope | None]:
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        if scope is not None:
            scope.end()
        _scope.reset(token)


@contextmanager
def tenant(phone_id: str) -> Iterator[Scope]:
    """Confine the block to one line. Raises NoTenantActive for what cannot be a line's id."""
    if not isinstance(phone_id, str) or not _PHONE_ID.fullmatch(phone_id):
        raise NoTenantActive(f"{phone_id!r} is not a line's id")
    scope = Scope(phone_id)
    with _entered(scope):
        yield scope


@contextmanager
def all_tenants(reason: str) -> Iterator[Scope]:
    """Let the block see every line, as staff. The reason is logged and may not be empty."""
    if not reason:
        raise ValueError("all_tenants() needs a reason; it goes to the audit log")
    audit.info("all tenants: %s", reason)
    scope = Scope(None, reason)
    with _entered(scope):
        yield scope


@contextmanager
def no_tenant() -> Iterator[None]:
    """Take whatever scope there is away from the block."""
    with _entered(None):
        yield


def active_scope() -> Scope | None:
    """The scope in force, or None."""
    scope = _scope.get()
    return scope if scope is not None and scope.is_usable() else None


def current_scope() -> Scope:
    """The scope in force. Raises NoTenantActive without one."""
    if (scope := active_scope()) is None:
        raise NoTenantActive
    return scope
