"""Telephone numbers: the E.164 forms of what people, spreadsheets and providers write."""

import re
from functools import lru_cache

import phonenumbers

# ITU-T E.164: a plus sign, no leading zero, at most 15 digits.
E164 = r"^\+[1-9][0-9]{1,14}$"
# What phonenumbers calls the country of a number that has none.
UNKNOWN_REGION = "ZZ"
_WHOLE = re.compile(r"\+[1-9][0-9]{6,14}")
# What people and spreadsheets make of a number. phonenumbers would also find one inside
# client:agent5551234567, which is a name.
_LIKE_A_NUMBER = re.compile(r"(tel:)?\s*[+(]?[0-9][0-9()\s./-]{5,28}")
_LIKE_PART_OF_A_NUMBER = re.compile(r"\+?[\d\s().\-/]*\d[\d\s().\-/]*")


def to_e164(text: str, region: str | None = None) -> str | None:
    """The number in E.164 form, or None when the text is not a number.

    region (ISO 3166, such as GB) is the country whose national form the text may have.
    """
    return text if _WHOLE.fullmatch(text) else _normalized(text, region)


@lru_cache(maxsize=50_000)
def _normalized(text: str, region: str | None) -> str | None:
    return _parsed(text, region) if _LIKE_A_NUMBER.fullmatch(text) else None


def _parsed(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    formatted: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return formatted


def region_of(number: str) -> str:
    """The country of an E.164 number, in whose national form its callers may come; ZZ if none."""
    try:
        code = phonenumbers.parse(number).country_code
    except phonenumbers.NumberParseException:
        code = None
    region: str = phonenumbers.region_code_for_country_code(code or 0)
    return region


def number_prefixes(term: str, region: str) -> list[str]:
    """The E.164 prefixes that a number, whole or in part and in any human format, may mean.

    `region` is where a number without a country code is taken to be. Empty for other text.
    """
    term = term.strip()
    digits = re.sub(r"\D", "", term)
    if len(digits) < 3 or not _LIKE_PART_OF_A_NUMBER.fullmatch(term):
        return []
    if (whole := _parsed(term, region)) and term.startswith("+"):
        return [whole]
    found = [whole] if whole else []
    if term.startswith("+"):
        found.append(f"+{digits}")
    elif digits.startswith("00"):
        found.append(f"+{digits[2:]}")
    else:
        country = phonenumbers.country_code_for_region(region)
        found += [f"+{digits}", f"+{country}{digits.lstrip('0')}"]
    return list(dict.fromkeys(found))
