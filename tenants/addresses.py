"""Addresses of telephony, as callbacks, files and searches have them: the line's and the caller's.

An address is a number in any notation, a URI around one (sip:, whatsapp:, tel:), a name (client:,
sip:, sim:), a short code, or one of the words and numbers that stand for a withheld caller.
"""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from urllib.parse import unquote

from tenants.numbers import UNKNOWN_REGION, both_forms, to_e164

# The one value of all withheld callers, and that of a call of which no event has named one yet.
ANONYMOUS = "anonymous"
UNKNOWN = "unknown"
NOT_A_PERSON = (ANONYMOUS, UNKNOWN)

MAX_LENGTH = 256  # characters
TOO_LONG = f"is longer than {MAX_LENGTH} characters; shorten it"
_WITHHELD_WORDS = {
    "", "anonymous", "restricted", "private", "unavailable", "unknown", "blocked", "withheld",
    "not available", "no caller id", "n/a", "null", "none",
}  # fmt: skip
# ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on the keys of a telephone:
# https://help.twilio.com/articles/223179988
_WITHHELD_DIGITS = {"266696687", "7378742833", "2562533", "8656696", "86282452253"}
# Letters and marks that are invisible but not of Unicode's category Cf.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u3164\ufe00-\ufe0f\uffa0]")
_URI = re.compile(r"(sips?|whatsapp|tel):([^@]*)(@.*)?", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"(client|sips?|sim|whatsapp):[^\s<>\"']+", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_][\w.-]*")
_SHORT_CODE = re.compile(r"[0-9*#]{1,6}")
_EXTENSION = re.compile(r"(?<=[0-9)])[\s,;]*(x|ext\.?|extension|ext=|#)\s*[0-9]{1,7}", re.I)
_EXTENSION_ALONE = re.compile(r"(x|ext\.?|extension)\s*[0-9]+", re.IGNORECASE)
_QUOTED_BY_A_SPREADSHEET = re.compile(r"=\s*\"([^\"]*)\"|'(.+)")
_FRACTION = re.compile(r"(\+?[0-9]{3,15})[.,]0+")
_SCIENTIFIC = re.compile(r"\+?[0-9]([.,][0-9]+)?E\+?[0-9]{1,2}", re.IGNORECASE)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LIKE_A_LINE = re.compile(r"\+[0-9]{2,15}")


class Spoilt(ValueError):
    """An address that cannot be read without a guess; the message says why and what to do."""


def caller_of(text: str, region: str | None = None) -> str:
    """The caller of an address: E.164, a name or short code as given, or ANONYMOUS.

    region is the line's country, whose national form a number may have. Raises Spoilt.
    """
    if _E164.fullmatch(text) and text[1:] not in _WITHHELD_DIGITS:
        return to_e164(text) or text
    return _caller_of(text, region)


def stored_caller_of(text: str, region: str | None = None) -> str:
    """caller_of() for text that may be a caller as calls have it: UNKNOWN stays UNKNOWN."""
    return UNKNOWN if text == UNKNOWN else caller_of(text, region)


@lru_cache(maxsize=50_000)
def _caller_of(text: str, region: str | None) -> str:
    shown = cleaned(text)
    bare = _bare(shown)
    if number := to_e164(bare, region):
        is_withheld_number = bare.startswith("+") and number[1:] in _WITHHELD_DIGITS
        return ANONYMOUS if is_withheld_number else number
    if is_withheld(bare):
        return ANONYMOUS
    if _NAMED.fullmatch(shown) or _SHORT_CODE.fullmatch(shown):
        return shown
    if _NAME.fullmatch(shown) and not _EXTENSION_ALONE.fullmatch(shown):
        return shown
    raise Spoilt(_reason(shown, bare, region))


def is_withheld(text: str) -> bool:
    """Whether a caller's address, in any spelling, stands for one who is not to be known."""
    word = " ".join(text.replace("_", " ").split()).casefold()
    word = re.sub("( (number|caller))+$", "", word)
    return word in _WITHHELD_WORDS or text.strip().removeprefix("+") in _WITHHELD_DIGITS


def line_numbers(text: str, *regions: str) -> list[str]:
    """The E.164 numbers of which an address may be, likeliest first: to look up a line with.

    A plus sign that a spreadsheet dropped and the national forms of the regions are tried too, so
    each is only right if there is such a line.
    """
    if _E164.fullmatch(text):
        return both_forms(text)
    try:
        bare = _bare(cleaned(text))
    except Spoilt:
        return []
    found = [to_e164(bare), *(to_e164(bare, region) for region in regions)]
    found += [form for form in (bare, f"+{bare}") if _LIKE_A_LINE.fullmatch(form)]
    return list(dict.fromkeys(form for number in found if number for form in both_forms(number)))


def cleaned(text: str) -> str:
    """Without what cannot be seen, and in the plain form of each character. Raises Spoilt."""
    if len(text) > 2 * MAX_LENGTH:
        raise Spoilt(TOO_LONG)
    if text.isascii() and text.isprintable():
        plain = text
    else:
        seen = _INVISIBLE.sub("", "".join(c for c in text if unicodedata.category(c) != "Cf"))
        folded = unicodedata.normalize("NFKC", seen)
        # The digits of every script are digits.
        plain = "".join(str(unicodedata.decimal(c, c)) for c in folded)
        if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\r\n" for c in plain):
            raise Spoilt("has control characters or invalid text; remove them")
    plain = " ".join(plain.split())
    if len(plain) > MAX_LENGTH:
        raise Spoilt(TOO_LONG)
    return plain


def _bare(text: str) -> str:
    """The part of an address that may be a number: without URI, extension and quotation marks."""
    if quoted := _QUOTED_BY_A_SPREADSHEET.fullmatch(text):
        text = (quoted[1] or quoted[2] or "").strip()
    if uri := _URI.fullmatch(text):
        text = re.split("[:;?]", unquote(uri[2]))[0].strip()
    text = "".join("-" if unicodedata.category(c) == "Pd" else c for c in text)
    whole = _FRACTION.fullmatch(text)
    text = whole[1] if whole else text
    if _SCIENTIFIC.fullmatch(text):
        text = _written_out(text)
    return re.sub(rf"{_EXTENSION.pattern}$", "", text, flags=re.IGNORECASE)


def _written_out(text: str) -> str:
    """1.4155550100E+10 as 14155550100; as it is when digits were lost."""
    value = Decimal(text.replace(",", "."))
    digits = len(value.as_tuple().digits)
    exact = value == value.to_integral_value() and value.as_tuple().exponent == 0
    sign = "+" if text.startswith("+") else ""
    return f"{sign}{value:f}" if exact and digits >= 7 else text


def _reason(shown: str, bare: str, region: str | None) -> str:
    digits = re.sub(r"\D", "", bare)
    if _SCIENTIFIC.fullmatch(bare):
        return (
            "was shortened by a spreadsheet; make the column text there and export the file again"
        )
    if shown.startswith(("=", "@")):
        return "is a formula of a spreadsheet, not a number; write the number itself"
    if len(digits) > 15 and not re.search(r"[^\W\d_]", bare):
        return f"has {len(digits)} digits, of which a number has at most 15; correct it"
    if digits and not re.search(r"[^\d\s+()./-]", bare):
        where = "" if region in (None, UNKNOWN_REGION) else f" of {region}"
        return (
            f"is not a whole number{where}; write it with its country code, such as +14155550123"
        )
    return "is not a telephone number; write it as +14155550123, or leave it empty if withheld"
