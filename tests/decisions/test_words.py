"""Words as the contract has them: folded, and whole (its section 5, and 9 of its section 8)."""

import pytest

from decisions.words import fold, occurs
from tests.decisions.factories import answer, line, rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L\u2019Urgence", "l'urgence"),
        ("  A\u00a0\t\n B\u2003", "a b"),
        ("a\u0308", "ä"),
        ("\u1112\u1161\u11ab", "한"),
        ("Straße", "strasse"),
        ("ΟΔΟΣ ὁδός", "οδοσ ὁδόσ"),
        ("İ", "i\u0307"),
        ("I", "i"),
        ("ﬁn", "fin"),
        ("\u0390", "\u0390"),  # case folding alone takes it apart
        ("\u212a", "k"),  # the sign of Kelvin
        ("\u200b", "\u200b"),  # a space of no width is not white space
        (" \u2028 ", ""),
    ],
)
def test_folding(text: str, expected: str) -> None:
    assert fold(text) == expected


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("urgence", "C'est l\u2019urgence", True),
        ("l'urgence", "l\u2019urgence", True),
        ("mail", "e-mail", True),
        ("e-mail", "my E-Mail is", True),
        ("book", "booking", False),
        ("book", "rebook", False),
        ("book", "bookbook book", True),
        ("a a", "aa a", False),
        ("aa", "aaa aa", True),
        ("a a", "ba a a", True),  # the one that counts begins within the one that does not
        ("book", "book2", False),
        ("2", "b2", False),
        ("book", "book_it", True),  # the low line is neither letter nor number
        ("book", "book", True),
        ("a b", "a  \n b", True),
        ("e", "e\u0301", False),  # composed, it is another letter
        ("q", "q\u0301", False),  # never composed: the mark belongs to q
        ("q\u0301", "q\u0301", True),
        ("\u0301", "q\u0301", False),
        ("q", "\u0301q", False),  # between a mark and a letter
        ("q", "-\u0301q", False),
        ("!", "!\u0301", False),  # a mark belongs to a sign, too
        ("-", "-\u093e", False),  # as does one that takes room of its own
        ("中", "中\u20dd", False),  # and one that encloses it
        ("中", "a中b", True),
        ("a", "中a中", True),
        ("中\u0301", "中\u0301", True),
        ("中", "中\u0301", False),  # nor does a mark leave an ideograph
        ("一", "\u3006一", True),
        ("ー", "コーヒー", True),  # its name begins with KATAKANA
        ("々", "人々", True),  # 人 is an ideograph
        ("々", "々a", False),  # its own name is IDEOGRAPHIC ITERATION MARK
        ("\uff76", "a\uff76", False),  # HALFWIDTH KATAKANA LETTER KA, a letter as any
        ("กา", "มากา", True),
        ("ก", "ก\u0e34", False),
        ("ល", "កល", True),
        ("က", "ကခ", True),
        ("ລ", "ກລ", True),
        ("예약", "예약을", False),
        ("करो", "अभी करो", True),
        ("कर", "करो", False),
        ("", "anything", False),
        (" ", "a b", False),
        ("\n", "\n", False),
        ("😀", "a😀b", True),
        ("?", "what?", True),
    ],
)
def test_phrase_occurs_as_whole_words(phrase: str, text: str, expected: bool) -> None:
    assert occurs(fold(phrase), fold(text)) is expected


@pytest.mark.parametrize(
    ("intents", "known", "expected"),
    [
        (["STRASSE"], "  straße ", "true"),
        (["ask a price"], "Ask  a\nPrice", "true"),
        (["ask"], "ask a price", "false"),
        (["other", "book"], "BOOK", "true"),
        ([" "], "", "true"),  # both fold to nothing, and are equal
    ],
)
def test_intent_is_folded_and_compared_as_a_whole(
    intents: list[str], known: str, expected: str
) -> None:
    [traced] = answer(line(rule({"intent": intents})), "2026-06-01T10:00Z", intent=known).trace
    assert traced.conditions.truth == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("", "false"), (None, "unknown"), ("to book", "true")]
)
def test_nothing_said_is_known_to_have_no_words(text: str | None, expected: str) -> None:
    found = answer(line(rule({"keywords": [" ", "book"]})), "2026-06-01T10:00Z", said=text)
    assert found.trace[0].conditions.truth == expected
