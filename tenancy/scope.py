"""Which line the running code works for: one ContextVar that both walls read.

A scope belongs to the block that entered it, on the thread that entered it. Another thread does
not inherit it, it is over when the block is, and there is none on a running event loop.
"""

import asyncio
import contextlib
import inspect
import logging
import os
import re
import sys
import threading
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Self

from django.core.exceptions import PermissionDenied

from database.roles import STAFF

audit = logging.getLogger("replytics.audit")

# Also the CHECK on the tenants' table: an id can stand inside a quoted SQL literal as it is.
PHONE_ID = r"^[+0-9A-Za-z_:.-]{1,64}$"
_PHONE_ID = re.compile(PHONE_ID)

# Of the statement that carries a scope. The one proper begins a line: errors quote that.
END = ";\n"
# Source files that suspend a generator inside its scope on purpose: @contextmanager does.
GENERATOR_DRIVERS = {contextlib.__file__}


class NoTenantActive(PermissionDenied):
    """No scope is active: enter tenant(phone_id) or all_tenants(reason) first."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class ScopeOnEventLoop(RuntimeError):
    """A scope cannot be entered on a running event loop: enter it in the function that you give
    to sync_to_async() or asyncio.to_thread(), where the queries run.
    """

    def __init__(self) -> None:
        super().__init__(" ".join(str(self.__doc__).split()))


class _Block:
    """A `with` block that replaces the scope and gives the one before back."""

    __slots__ = ("_active", "_previous")

    def __init__(self) -> None:
        self._active = False
        self._previous: _Block | None = None

    def __enter__(self) -> Self:
        self._previous = _scope.get()
        self._active = True
        _scope.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._active = False
        # Set, not reset by token: a request may leave in another context than it entered in.
        # And only what is ours: a forgotten generator is closed wherever the collector runs.
        if _scope.get() is self:
            outer = self._previous
            while outer is not None and not outer._active:
                outer = outer._previous
            _scope.set(outer)


class Scope(_Block):
    """What a block may see: one line, or all of them (phone_id None) for a reason."""

    __slots__ = ("_generator", "_thread", "phone_id", "prefix", "reason")

    def __init__(self, phone_id: str | None, reason: str = "") -> None:
        super().__init__()
        self.phone_id = phone_id
        self.reason = reason
        role = STAFF if phone_id is None else "none"
        self.prefix = scope_sql(role, phone_id or "")
        self._thread = 0
        self._generator: FrameType | None = None

    def __enter__(self) -> Self:
        if self._active:
            raise RuntimeError("This scope is entered already; make another one")
        if _is_on_event_loop():
            raise ScopeOnEventLoop
        self._generator = _generator_around(sys._getframe(1))
        self._thread = threading.get_ident()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._generator = None

    def again(self) -> "Scope":
        """The same reach for another block; all_tenants was logged when it was first asked for."""
        return Scope(self.phone_id, self.reason)

    def is_usable(self) -> bool:
        """False once the block has ended, and wherever the scope was merely carried along to."""
        if not self._active:
            return False
        if self._generator is not None and self._generator.f_back is None:
            return False  # suspended: this is its caller, not the block
        return threading.get_ident() == self._thread and not _is_on_event_loop()


class _NoScope(_Block):
    __slots__ = ()


_scope: ContextVar[_Block | None] = ContextVar("tenancy", default=None)
# A forked process has the memory of its parent, the ContextVar included.
os.register_at_fork(after_in_child=lambda: _scope.set(None))


def scope_sql(role: str, phone_id: str) -> str:
    """The statement that carries a scope; it lasts until the end of its transaction."""
    return (
        f"SELECT set_config('role','{role}',true),set_config('app.phone_id','{phone_id}',true)"
        f"{END}"
    )


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _generator_around(frame: FrameType | None) -> FrameType | None:
    """The generator that would let its caller into the scope whenever it yields, or None."""
    while frame is not None:
        caller = frame.f_back
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            if caller is None or caller.f_code.co_filename not in GENERATOR_DRIVERS:
                return frame
        elif frame.f_code.co_filename not in GENERATOR_DRIVERS:
            return None
        frame = caller
    return None


def tenant(phone_id: str) -> Scope:
    """Confine a `with` block to one line. Raises NoTenantActive for what cannot be a line's id."""
    if not isinstance(phone_id, str) or not _PHONE_ID.fullmatch(phone_id):
        raise NoTenantActive(f"{phone_id!r} is not a line's id")
    return Scope(phone_id)


def all_tenants(reason: str) -> Scope:
    """Let a `with` block see every line, as staff.

    The reason goes to the log `replytics.audit`: say what for, and put no personal data in it.
    Raises ValueError without one.
    """
    if not reason.strip():
        raise ValueError("all_tenants() needs a reason; it goes to the audit log")
    audit.info("all tenants: %s", reason)
    return Scope(None, reason)


def no_tenant() -> contextlib.AbstractContextManager[object]:
    """Take whatever scope there is away from a `with` block."""
    return _NoScope()


def active_scope() -> Scope | None:
    """The scope in force, or None."""
    scope = _scope.get()
    return scope if isinstance(scope, Scope) and scope.is_usable() else None


def current_scope() -> Scope:
    """The scope in force. Raises NoTenantActive without one."""
    if (scope := active_scope()) is None:
        raise NoTenantActive
    return scope
