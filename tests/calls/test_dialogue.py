"""Transcripts become turns, and what is none stays as it is."""

import pytest

from calls.dialogue import Turn, turns


@pytest.mark.parametrize(
    ("transcript", "expected"),
    [
        ("AI: Hello\nCaller: Hi", [("AI", False, "Hello"), ("Caller", True, "Hi")]),
        ("agent: Hello\n\nUSER: Hi", [("agent", False, "Hello\n"), ("USER", True, "Hi")]),
        ("Caller: One\ntwo: three", [("Caller", True, "One\ntwo: three")]),
        ("\n  Caller: Hi", [("Caller", True, "Hi")]),
        ("Caller:", [("Caller", True, "")]),
        ("Notes\nCaller: Hi", []),
        ("Hello", []),
        ("", []),
        (None, []),
    ],
)
def test_turns_of_a_transcript(
    transcript: str | None, expected: list[tuple[str, bool, str]]
) -> None:
    assert turns(transcript) == [Turn(*turn) for turn in expected]
