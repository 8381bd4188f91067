"""The provider's words and ours."""

import pytest

from calls.intake.statuses import our_status, provider_word


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", "ringing"),
        ("initiated", "ringing"),
        ("ringing", "ringing"),
        ("in-progress", "answered"),
        ("answered", "answered"),
        ("completed", "completed"),
        ("busy", "failed"),
        ("no-answer", "failed"),
        ("canceled", "failed"),
        ("failed", "failed"),
        ("No Answer", "failed"),
        ("Cancelled", "failed"),
        ("in_progress", "answered"),
    ],
)
def test_status_of_each_word(word: str, status: str) -> None:
    assert our_status(word) == status


@pytest.mark.parametrize("word", ["", "absent", "complete", "ringing!", "null"])
def test_status_of_other_words_is_none(word: str) -> None:
    assert our_status(word) is None


def test_status_word_of_the_console_is_spelled_as_the_api_does() -> None:
    assert provider_word("No Answer") == "no-answer"
