"""What we use of libraries' private parts: all of it is named here, and is what it was."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {"tests", "bench", "migrations", "node_modules"}
PRODUCT = sorted(
    path
    for app in ROOT.glob("*/__init__.py")
    for path in app.parent.rglob("*.py")
    if not ELSEWHERE & set(path.relative_to(ROOT).parts)
)
ROOMS = {path.relative_to(ROOT).parts[0] for path in PRODUCT}
# Private by their names, public by Django's and Python's documentation.
DOCUMENTED = {
    *("_meta", "_state", "_base_manager", "_default_manager"),
    *("_asdict", "_fields", "_replace"),
    "_getframe",
}


@dataclass(frozen=True)
class Private:
    """A private part: who uses it and why, and what of the library must still be so."""

    used_in: str
    why: str
    # Where in the library it is used: the source of this names it.
    source: str
    signature: str = ""


PRIVATE = {
    "_query": Private(
        "tenancy/guard.py",
        "psycopg: connection.queries and errors show the statement without the scope before it",
        "psycopg._cursor_base:BaseCursor",
    ),
    "_insert": Private(
        "tenancy/models.py tenancy/readonly.py",
        "Django: the one place that every INSERT of the ORM passes",
        "django.db.models.query:QuerySet._insert",
        "(self, objs, fields, returning_fields=None, raw=False, using=None, on_conflict=None,"
        " update_fields=None, unique_fields=None)",
    ),
    "_update": Private(
        "tenancy/readonly.py",
        "Django: Model.save() of a read-only table is refused",
        "django.db.models.query:QuerySet._update",
        "(self, values)",
    ),
    "_raw_delete": Private(
        "tenancy/readonly.py",
        "Django: deletion of a read-only table is refused",
        "django.db.models.query:QuerySet._raw_delete",
        "(self, using)",
    ),
    "_get_obj_does_not_exist_redirect": Private(
        "calls/admin/calls.py",
        "Django: a link to a call that was archived since leads to the archived call",
        "django.contrib.admin.options:ModelAdmin._changeform_view",
    ),
    "_has_been_logged": Private(
        "api/problems.py",
        "Django: the text of a database's error may quote a row; its class is logged instead",
        "django.utils.log:log_response",
    ),
    "_map_basic_serializer": Private(
        "api/openapi.py",
        "drf-spectacular: the document says what our serializers refuse",
        "drf_spectacular.openapi:AutoSchema._map_basic_serializer",
        "(self, serializer, direction)",
    ),
    "_auth": Private(
        "api/views.py",
        "REST framework: the client, if any, without authenticating a second time",
        "rest_framework.request:Request",
    ),
}
# Replaced on a connection for one statement: execute() does not pass a timeout on to it.
WAIT = "(self, gen: 'PQGen[RV]', interval: 'float' = 0.1, timeout: 'float | None' = None) -> 'RV'"


def test_every_private_part_that_is_used_is_named_here() -> None:
    found: dict[str, set[str]] = {}
    for path in PRODUCT:
        for name in {*_private_names(path), *_overridden(path)}:
            found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    assert found == {name: set(part.used_in.split()) for name, part in PRIVATE.items()}
    assert len(PRIVATE) < 10


@pytest.mark.parametrize("name", PRIVATE)
def test_the_library_still_has_it_as_it_was(name: str) -> None:
    part = PRIVATE[name]
    module, _, path = part.source.partition(":")
    owner: Any = import_module(module)
    for step in path.split("."):
        owner = getattr(owner, step)
    assert name in inspect.getsource(owner)
    if part.signature:
        assert str(inspect.signature(owner)) == part.signature


def test_psycopg_waits_as_it_did() -> None:
    """database/statement_context.py gives one wait of a connection an end."""
    from psycopg import Connection

    assert "self._conn.wait(" in inspect.getsource(import_module("psycopg.cursor"))
    assert str(inspect.signature(Connection.wait)) == WAIT


def test_raw_querysets_are_plain_objects() -> None:
    """tenancy/models.py gives them a class of ours."""
    from django.db.models.query import RawQuerySet

    assert not hasattr(RawQuerySet, "__slots__")
    assert "RawQuerySet(" in inspect.getsource(RawQuerySet.using)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in DOCUMENTED


def _private_names(path: Path) -> Iterator[str]:
    """What a file reads of others under a private name, or imports."""
    tree = ast.parse(path.read_text())
    own = set(_defined(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, value=value) if _is_private(name):
                if name not in own or _is_super(value):
                    yield name
            case ast.ImportFrom(module=module, names=names):
                yield from (alias.name for alias in names if _is_private(alias.name))
                yield from (part for part in (module or "").split(".") if _is_private(part))
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ) if _is_private(name) and name not in own:
                yield name


def _defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield name


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "super"


def _overridden(path: Path) -> Iterator[str]:
    """Private names of a library's class that a class of the file defines anew."""
    tree = ast.parse(path.read_text())
    bodies = {
        node.name: {name for name in _defined(node) if _is_private(name)}
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    if not any(bodies.values()):
        return
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for class_name, names in bodies.items():
        for base in getattr(module, class_name).__mro__[1:]:
            if base.__module__.split(".")[0] not in ROOMS:
                yield from names & vars(base).keys()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class A:\n    def _own(self): self._own(); self._meta", set()),
        ("def f(cursor): return cursor._query", {"_query"}),
        ("class A(B):\n    def _insert(self): super()._insert()", {"_insert"}),
        ("from django.db.models.query import _private", {"_private"}),
        ("import os\ngetattr(os, '_exit')", {"_exit"}),
    ],
)
def test_private_names_are_found(tmp_path: Path, source: str, names: set[str]) -> None:
    file = tmp_path / "module.py"
    file.write_text(source)
    assert set(_private_names(file)) == names


def test_overridden_names_are_found() -> None:
    assert set(_overridden(ROOT / "tenancy" / "readonly.py")) == {
        "_insert",
        "_update",
        "_raw_delete",
    }
