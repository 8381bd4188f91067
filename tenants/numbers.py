"""Telephone numbers: the E.164 forms of what people, spreadsheets and providers write.

One person has one form. Mexico's mobile prefix (+52 1 …, ended in 2020) is left out, and the ninth
digit that Brazil's mobile numbers gained until 2016 is filled in: providers still send both forms.
"""

import re
from functools import lru_cache

import phonenumbers

# ITU-T E.164: a plus sign, no leading zero, at most 15 digits.
E164 = r"^\+[1-9][0-9]{1,14}$"
# What phonenumbers calls the country of a number that has none.
UNKNOWN_REGION = "ZZ"
NO_COUNTRY = "001"  # of +800 and other numbers of no country
_WHOLE = re.compile(r"\+[1-9][0-9]{6,14}")
# What people and spreadsheets make of a number. phonenumbers would also find one inside
# client:agent5551234567, which is a name.
_LIKE_A_NUMBER = re.compile(r"(tel:)?\s*[+(]?[0-9][0-9()\s./-]{5,28}")
_LIKE_PART_OF_A_NUMBER = re.compile(r"\+?[\d\s().\-/]*\d[\d\s().\-/]*")
_OLD_MEXICO = re.compile(r"\+521([0-9]{10})")
# Eight digits of a mobile number; 70, 77, 78 and 79 are trunking services, which kept eight.
_OLD_BRAZIL = re.compile(r"(\+55[1-9][0-9])((?:[689]|7[1-6])[0-9]{6,7})")


def to_e164(text: str, region: str | None = None) -> str | None:
    """The number in its one E.164 form, or None when the text is not a number.

    region (ISO 3166, such as GB) is the country whose national form the text may have. A national
    form must be a valid number there: anything else would be a guess.
    """
    return one_form(text) if _WHOLE.fullmatch(text) else _normalized(text, region)


def one_form(number: str) -> str:
    """The one form of an E.164 number of which two are in use; any other as it is."""
    if number.startswith("+521") and (mexican := _OLD_MEXICO.fullmatch(number)):
        return f"+52{mexican[1]}"
    if number.startswith("+55") and (brazilian := _OLD_BRAZIL.fullmatch(number)):
        return f"{brazilian[1]}9{brazilian[2]}" if len(brazilian[2]) == 8 else number
    return number


def both_forms(number: str) -> list[str]:
    """The E.164 number as given, then its other form if two are in use."""
    known = one_form(number)
    if known != number:
        return [number, known]
    if re.fullmatch(r"\+52[0-9]{10}", number):
        return [number, f"+521{number[3:]}"]
    if re.fullmatch(r"\+55[1-9][0-9]9[0-9]{8}", number):
        old = number[:5] + number[6:]
        return [number, old] if one_form(old) == number else [number]
    return [number]


@lru_cache(maxsize=50_000)
def _normalized(text: str, region: str | None) -> str | None:
    if not _LIKE_A_NUMBER.fullmatch(text):
        return None
    digits = re.sub(r"\D", "", text)
    if "+" in text:
        return _international(text, f"+{digits}")
    if digits.startswith("00"):
        return _international(f"+{digits[2:]}", f"+{digits[2:]}")
    number = _parsed(text, region)
    return number if number and _is_valid(number) else None


def _international(text: str, digits: str) -> str | None:
    # phonenumbers no longer knows Mexico's old form.
    known = one_form(digits)
    return known if known != digits else _parsed(text, None)


def _parsed(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    formatted: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return one_form(formatted)


def _is_valid(number: str) -> bool:
    valid: bool = phonenumbers.is_valid_number(phonenumbers.parse(number))
    return valid


def is_possible(number: str) -> bool:
    """Whether an E.164 number is as long as those of its country, which must exist."""
    return _parsed(number, None) is not None


def is_written_out(text: str, number: str) -> bool:
    """Whether a text that was read as the number has all of its digits, as one dials it.

    23456789 lacks a digit of +4923456789: in Germany that is 0234 56789, and without the 0 it is
    more likely a number of the writer's own town.
    """
    digits = re.sub(r"\D", "", text)
    if "+" in text or digits.endswith(number[1:]):
        return True
    parsed = phonenumbers.parse(number)
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    prefix = phonenumbers.ndd_prefix_for_region(region_of(number), True) or ""
    whole = phonenumbers.national_significant_number(parsed)
    return digits in (re.sub(r"\D", "", national), prefix + whole)


def region_of(number: str) -> str:
    """The country of an E.164 number, in whose national form its callers may come; ZZ if none."""
    try:
        code = phonenumbers.parse(number).country_code
    except phonenumbers.NumberParseException:
        code = None
    region: str = phonenumbers.region_code_for_country_code(code or 0)
    return UNKNOWN_REGION if region == NO_COUNTRY else region


def number_prefixes(term: str, region: str) -> list[str]:
    """The E.164 prefixes that a number, whole or in part and in any human format, may mean.

    `region` is where a number without a country code is taken to be. Empty for other text.
    """
    term = term.strip()
    digits = re.sub(r"\D", "", term)
    if len(digits) < 3 or not _LIKE_PART_OF_A_NUMBER.fullmatch(term):
        return []
    if term.startswith("+") and (whole := _international(term, f"+{digits}")):
        return both_forms(whole)
    found = [whole] if (whole := _parsed(term, region)) else []
    if term.startswith("+"):
        found.append(f"+{digits}")
    elif digits.startswith("00"):
        found.append(f"+{digits[2:]}")
    else:
        country = phonenumbers.country_code_for_region(region)
        found += [f"+{digits}", f"+{country}{digits.lstrip('0')}"]
    return list(dict.fromkeys(form for prefix in found for form in _forms_of_prefix(prefix)))


def one_form_of_prefix(prefix: str) -> str:
    """A part of an E.164 number as it begins in its one form."""
    whole = one_form(prefix)
    if whole == prefix and prefix.startswith("+521"):
        return f"+52{prefix[4:]}"
    if whole == prefix and (part := re.fullmatch(r"(\+55[1-9][0-9])([68][0-9]{0,6})", prefix)):
        return f"{part[1]}9{part[2]}"
    return whole


def _forms_of_prefix(prefix: str) -> list[str]:
    """A part of a number, and the same part of its one form."""
    if prefix.startswith("+521"):
        return [prefix, f"+52{prefix[4:]}"]
    if part := re.fullmatch(r"(\+55[1-9][0-9])([6-9][0-9]{0,7})", prefix):
        return [prefix, f"{part[1]}9{part[2]}"]
    return both_forms(prefix)
