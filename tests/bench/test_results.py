"""What the table says of a row."""

from datetime import UTC, datetime

import pytest

from bench.results import Run, Section, as_markdown
from bench.rows import Row, in_milliseconds


def row(**overrides: object) -> Row:
    given = {"work": "list", "peer": "DRF", "ours": "1 ms", "theirs": "4 ms", "ratio": 4.0}
    return Row(**(given | {"target": ">= 4"} | overrides))  # type: ignore[arg-type]


def run(*sections: Section) -> str:
    return as_markdown(
        Run(
            began=datetime(2026, 1, 2, tzinfo=UTC),
            calls=1_000,
            machine="2 cores",
            versions="PostgreSQL 18",
            settings="fsync = on",
            load="load 0.1",
            minutes=1.5,
            sections=sections,
        )
    )


@pytest.mark.parametrize(
    ("ratio", "target", "is_met"),
    [
        (4.0, ">= 4", True),
        (3.996, ">= 4", True),  # the table shows 4.00
        (3.99, ">= 4", False),
        (1.15, "<= 1.15", True),
        (1.16, "<= 1.15", False),
        (None, "<= 1.15", None),
        (2.0, "", None),
    ],
)
def test_row_meets_its_target(ratio: float | None, target: str, is_met: bool | None) -> None:
    assert row(ratio=ratio, target=target).is_met() is is_met


def test_results_count_the_targets() -> None:
    section = Section("api", rows=[row(), row(ratio=2.0), row(ratio=1.0, target="")])

    text = run(section)

    assert "1 met, 1 missed" in text
    assert "| list | 1 ms | DRF | 4 ms | 2.00 | >= 4 | **missed** |" in text


def test_results_say_what_was_not_measured() -> None:
    text = run(Section("api", rows=[row()], trouble="stopped after 5 s"), Section("depth"))

    assert "**Not complete:** stopped after 5 s" in text
    assert "| list |" in text
    assert "## depth" in text


def test_results_keep_a_cell_in_its_column() -> None:
    assert "a \\| b" in run(Section("api", rows=[row(work="a | b")]))


def test_milliseconds_have_the_99th_percentile() -> None:
    assert in_milliseconds([0.001] * 99 + [0.5]) == "1.00 ms (p99 500.00)"
