"""What the documents promise about the tree: the map of rooms, the decision records, links."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.test_layout import ROOMS

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions"
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *DECISIONS.glob("*.md")]
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
# Made by a run, not in the tree.
IGNORED = {".postgres", ".venv", ".env", ".static"}
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def test_the_map_of_the_readme_is_the_list_of_rooms() -> None:
    """One line for each room, in the order of imports."""
    _, _, section = (ROOT / "README.md").read_text().partition("## Where things live")
    section, _, _ = section.partition("\n## ")
    rooms = re.findall(r"^\| `(\w+)/` \|", section, re.MULTILINE)
    assert [room for room in rooms if room in ROOMS] == ROOMS
    assert all((ROOT / room).is_dir() for room in rooms)


def test_decisions_are_numbered_without_holes() -> None:
    numbers = [int(path.name[:4]) for path in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_decision_has_its_parts(path: Path) -> None:
    text = path.read_text()
    assert re.match(rf"# {path.name[:4]} \S.*\n\n- Date: \d{{4}}-\d\d-\d\d\n- Status: \S", text)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "Consequences",
    ]


def test_index_of_decisions_is_complete() -> None:
    index = (DECISIONS / "README.md").read_text()
    listed = re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.+?) \|", index, re.MULTILINE)
    assert listed == [
        (path.name[:4], path.name, path.read_text().splitlines()[0][7:]) for path in RECORDS
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path: Path) -> None:
    targets = [target for target, _ in LINK.findall(path.read_text()) if "://" not in target]
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_paths_in_documents_exist(path: Path) -> None:
    """`manage.py name`, and in backquotes whatever has a slash and begins at the root."""
    text = path.read_text()
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert commands - {*get_commands(), "help"} == set()
    paths = re.findall(r"`([\w.]+/[\w./]*)`", text)
    ours = {entry.name for entry in ROOT.iterdir()}
    named = [name for name in paths if name.split("/")[0] in ours - IGNORED]
    assert [name for name in named if not (ROOT / name).exists()] == []
