"""Phone numbers in E.164 form, and the lines they belong to."""

import re
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# What people and spreadsheets make of a number. phonenumbers would also find one inside
# client:agent5551234567, which is a name.
_LIKE_A_NUMBER = re.compile(r"(tel:)?\s*[+(]?[0-9][0-9()\s./-]{5,28}")
_MOST_SPELLINGS = 10_000


@lru_cache(maxsize=50_000)
def _normalised(text: str, region: str | None) -> str | None:
    if not _LIKE_A_NUMBER.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def to_e164(text: str, region: str | None = None) -> str | None:
    """The number in E.164 form, or None when the text is no number.

    region (ISO 3166, such as GB) is the country whose national form the text may have.
    """
    return text if _E164.fullmatch(text) else _normalised(text, region)


def region_of(number: str) -> str:
    """The country of an E.164 number, in whose national form its callers may come; ZZ if none."""
    try:
        code = phonenumbers.parse(number).country_code
    except phonenumbers.NumberParseException:
        code = None
    return phonenumbers.region_code_for_country_code(code or 0)


def caller_number(text: str, region: str | None = None) -> str:
    """Who called: E.164, or as given (client:…, sip:…, a short code); anonymous when empty."""
    return to_e164(text, region) or text or "anonymous"


class Lines:
    """The lines by id and by number, in memory. Takes pairs of id and E.164 number."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self.number_of = dict(lines)
        self._by_number = {number: phone_id for phone_id, number in self.number_of.items()}
        self._regions = {
            phone_id: region_of(number) for phone_id, number in self.number_of.items()
        }
        self._spellings: dict[str, str | None] = {}

    def region(self, phone_id: str) -> str:
        return self._regions[phone_id]

    def find(self, text: str) -> str | None:
        """The id of the line with this number, however it is spelled, or None."""
        if phone_id := self._by_number.get(text):
            return phone_id
        if text not in self._spellings:
            if len(self._spellings) >= _MOST_SPELLINGS:
                self._spellings.clear()
            self._spellings[text] = self._find_spelled(text)
        return self._spellings[text]

    def _find_spelled(self, text: str) -> str | None:
        # Spreadsheets drop the plus sign; a national form means a line of its own country alone.
        forms = {"+" + text.strip(), to_e164(text.strip())}
        forms |= {to_e164(text.strip(), region) for region in set(self._regions.values())}
        found = {self._by_number[form] for form in forms if form in self._by_number}
        return found.pop() if len(found) == 1 else None
