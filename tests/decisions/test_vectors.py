"""The cases of vectors.jsonl, with the answers that the contract demands."""

from datetime import datetime
from typing import Any

import pytest

from decisions.answer import as_document
from decisions.decision import decide
from decisions.settings_document import line_settings
from tests.decisions.vectors import VECTORS


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_answer_is_the_expected_one(vector: dict[str, Any]) -> None:
    answer = decide(
        line_settings(vector["settings"]),
        at=datetime.fromisoformat(vector["at"]),
        facts=vector["facts"],
    )
    assert as_document(answer) == vector["expected"], vector["about"]


def test_instants_are_written_as_in_the_api() -> None:
    """The vectors' own are, so that texts can be compared; see the test above."""
    written = [
        vector["expected"]["hours"][key]
        for vector in VECTORS
        for key in ("since", "until")
        if vector["expected"]["hours"][key]
    ]
    assert written
    assert all(len(text) == 27 and text.endswith("Z") for text in written)
