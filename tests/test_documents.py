"""What the documents promise about the tree: the map of rooms, the decision records, links."""

import re
from pathlib import Path

import pytest

from tests.test_layout import ROOMS

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions"
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *DECISIONS.glob("*.md")]
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def test_the_map_of_the_readme_is_the_list_of_rooms() -> None:
    """One line for each room, in the order of imports."""
    _, _, section = (ROOT / "README.md").read_text().partition("## Where things live")
    section, _, _ = section.partition("\n## ")
    rooms = re.findall(r"^\| `(\w+)/` \|", section, re.MULTILINE)
    assert [room for room in rooms if room in ROOMS] == ROOMS
    assert all((ROOT / room).is_dir() for room in rooms)


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
