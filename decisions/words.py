"""Whole words and phrases in a text, in any script."""

import unicodedata

# Of characters of scripts that are written without spaces, the beginnings of their Unicode names.
WITHOUT_SPACES = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "HIRAGANA",
    "KATAKANA",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
)


def fold(text: str) -> str:
    """The text without what does not matter: case, composition, curly apostrophes, white space.

    White space is what Python's str.split() takes for it.
    """
    plain = unicodedata.normalize("NFC", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return " ".join(unicodedata.normalize("NFC", plain.casefold()).split())


def occurs(phrase: str, text: str) -> bool:
    """Whether the phrase is in the text as whole words; both folded."""
    if not phrase:
        return False
    start = text.find(phrase)
    while start >= 0:
        if is_boundary(text, start) and is_boundary(text, start + len(phrase)):
            return True
        start = text.find(phrase, start + 1)
    return False


def is_boundary(text: str, place: int) -> bool:
    """Whether a word may begin or end before the character at this place, or at the text's end."""
    if place in (0, len(text)):
        return True
    before, after = text[place - 1], text[place]
    if unicodedata.category(after).startswith("M"):
        return False
    if not (_is_of_a_word(before) and _is_of_a_word(after)):
        return True
    return _is_without_spaces(before) or _is_without_spaces(after)


def _is_without_spaces(character: str) -> bool:
    return unicodedata.name(character, "").startswith(WITHOUT_SPACES)


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
