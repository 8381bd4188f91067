"""Where code may live and what it may import, read from the files themselves."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))
PYTHON = sorted(
    path
    for entry in ROOT.iterdir()
    if not entry.name.startswith(".")
    for path in ([entry] if entry.suffix == ".py" else entry.rglob("*.py"))
    if "node_modules" not in path.parts
)
# Imports go down this list only; tests, bench and manage.py may import anything.
ROOMS = [
    "replytics",
    "local",
    "demo",
    "desk",
    "analytics",
    "decisions",
    "calls",
    "tenants",
    "monitoring",
    "jobs",
    "backoffice",
    "api",
    "console",
    "tenancy",
    "database",
]
# Nobody imports what only wires the others together or starts them on one machine.
IMPORTED_BY_NOBODY = {"replytics", "local"}
MAY_IMPORT = {
    room: {room, *ROOMS[number + 1 :]} - (IMPORTED_BY_NOBODY - {room})
    for number, room in enumerate(ROOMS)
}
# `make run` starts what replytics/ wires together; without DATABASE_URL it names local/'s server.
MAY_IMPORT["local"] |= {"replytics"}
MAY_IMPORT["replytics"] |= {"local.embedded"}
OURS = {*MAY_IMPORT, "tests", "bench"}
# A helper is filed under its subject.
VAGUE_NAMES = {"utils", "helpers", "services", "selectors", "signals", "common", "misc"}
# Beside a folder for each app.
OTHER_TESTS = {
    "bench",
    "browser",
    "console",
    "fuzzing",
    "isolation",
    "local",
    "replytics",
    "schema",
    "typescript",
}


def imports_of(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module
            # `from tenants import scoping` imports tenancy.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, packages: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def wrong_imports(path: Path, package: str) -> list[str]:
    return [
        name
        for name in imports_of(path)
        if is_within(name, OURS) and not is_within(name, MAY_IMPORT[package])
    ]


@pytest.mark.parametrize("package", [name for name in MAY_IMPORT if (ROOT / name).is_dir()])
def test_imports_point_one_way(package: str) -> None:
    files = [path for path in PYTHON if path.relative_to(ROOT).parts[0] == package]
    assert files
    wrong = {str(path.relative_to(ROOT)): wrong_imports(path, package) for path in files}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("tenants", "import calls.models"),
        ("tenants", "def f():\n    from calls import models"),
        ("calls", "from analytics.models import DailyCallStats"),
        ("calls", "from decisions.decision import decide"),
        ("analytics", "from replytics import settings"),
        ("analytics", "from desk import navigation"),
        ("backoffice", "from tenants import models"),
        ("tenancy", "from api import problems"),
        ("database", "from tenancy import scope"),
        ("replytics", "from tests.factories import make_line"),
        ("replytics", "from local import launch"),
        ("calls", "from local.embedded import MAIN"),
    ],
)
def test_wrong_import_is_found(tmp_path: Path, package: str, source: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(source)
    assert wrong_imports(file, package)


def test_every_package_of_ours_has_its_rule() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= OURS


def test_modules_are_named_for_their_subject() -> None:
    vague = [
        path for path in PYTHON if VAGUE_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}
    ]
    assert vague == []


def test_tests_mirror_the_apps() -> None:
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
    assert folders - {"tests"} <= {*APPS, *OTHER_TESTS}
    assert set(APPS) <= folders


def test_each_migration_has_a_reverse() -> None:
    """RunSQL and RunPython name both ways; whether they work is tests/schema/test_migrations."""
    one_way = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PYTHON
        if path.parent.name == "migrations"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(("RunSQL", "RunPython"))
        and len(node.args) < 2
        and not {"reverse_sql", "reverse_code"} & {keyword.arg for keyword in node.keywords}
    ]
    assert one_way == []


def test_tests_of_a_group_run_on_one_worker(request: pytest.FixtureRequest) -> None:
    """xdist goes by what it adds to their names, which some releases of pytest ignore."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("one process runs them all")
    items = request.session.items
    grouped = [item.nodeid for item in items if item.get_closest_marker("xdist_group")]
    assert [name for name in grouped if "@" not in name] == []
