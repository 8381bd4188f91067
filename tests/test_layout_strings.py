"""What a room may name in strings: templates, URLs, tables and columns of its own and below."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

from tests.test_layout import MAY_IMPORT, PYTHON, ROOMS, ROOT

APP_ROOMS = {config.label: config.name for config in apps.get_app_configs()}
# Names that a lower room has of its own: database/ stamps updated_at of whatever table.
OWN_NAMES = {"database": {"updated_at"}}


def rooms_above(room: str) -> set[str]:
    """The rooms of whose names nothing may stand here."""
    return set(ROOMS) - MAY_IMPORT[room] - {room}


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string of a Python file but docstrings; of other files the whole."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [] if id(node) in docstrings else [(node.lineno, node.value)]


def files_of(room: str) -> list[Path]:
    own = [
        path
        for path in PYTHON
        if path.relative_to(ROOT).parts[0] == room and "migrations" not in path.parts
    ]
    return own + [
        path for kind in ("html", "sql", "js") for path in (ROOT / room).rglob(f"*.{kind}")
    ]


def files_below(room: str, folder: str) -> set[str]:
    """Templates or static files of a room, as they are referred to."""
    here = ROOT / room / folder
    return {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}


@cache
def names_of(room: str) -> set[str]:
    """What others would call the templates, static files, models and tables of a room."""
    names = files_below(room, "templates") | files_below(room, "static")
    if room == "replytics":
        return names
    # A template of Django's or Unfold's that a room overrides is called by its own name.
    names = {name for name in names if name.startswith(f"{room}/")}
    for model in apps.get_models(include_auto_created=True):
        if APP_ROOMS[model._meta.app_label] == room:
            opts = model._meta
            names |= set() if opts.proxy else {opts.db_table}
            names |= {opts.label, f"{opts.app_label}_{opts.model_name}"}
            names |= {f"{opts.app_label}.{word}_{opts.model_name}" for word in ("view", "change")}
    return names


@cache
def columns_of(room: str) -> set[str]:
    """Columns that no room below has; a name of one word may be any word."""
    own, below = set(), {"phone_id"}  # which tenancy/ gives to every tenant's table
    for model in apps.get_models(include_auto_created=True):
        home = APP_ROOMS[model._meta.app_label]
        columns = {field.column for field in model._meta.local_concrete_fields if field.column}
        if home == room:
            own |= columns
        elif home not in ROOMS or home in MAY_IMPORT[room]:
            below |= columns
    return {name for name in own - below if "_" in name}


@cache
def forbidden_in(room: str) -> set[str]:
    names = {name for other in rooms_above(room) for name in names_of(other) | columns_of(other)}
    names -= columns_of(room) | OWN_NAMES.get(room, set())
    return {name for name in names if "_" in name or "." in name or "/" in name}


def wrong_names(path: Path, room: str) -> list[str]:
    above, forbidden = rooms_above(room), forbidden_in(room)
    urls = {f"{other}:" for other in above}
    found = []
    for line, text in strings_of(path):
        words = set(re.findall(r"[\w./-]+", text)) | set(re.findall(r"\w+", text))
        words |= {re.sub("_(changelist|change|add|delete)$", "", word) for word in words}
        wrong = sorted(words & forbidden)
        wrong += [name for name in urls if re.search(rf"(^|['\"]){name}\w", text)]
        found += [f"{path}:{line} {name}" for name in wrong]
    return found


@pytest.mark.parametrize("room", [room for room in ROOMS if (ROOT / room).is_dir()])
def test_strings_name_nothing_of_a_higher_room(room: str) -> None:
    assert [wrong for path in files_of(room) for wrong in wrong_names(path, room)] == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("backoffice", 'template = "desk/home.html"'),
        ("backoffice", 'condition = {"legal_hold": True}'),
        ("tenants", 'link = "admin:calls_call_changelist"'),
        ("tenants", 'may = "analytics.view_dailycallstatsrow"'),
        ("tenancy", "sql = \"SELECT to_regclass('phone_numbers')\""),
        ("calls", 'link = "desk:review"'),
        ("api", 'model = "tenants.ApiKey"'),
    ],
)
def test_wrong_string_is_found(tmp_path: Path, room: str, source: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(source)
    assert wrong_names(file, room)
