"""What a person types into the search box, turned into conditions that an index serves."""

import re
import uuid
from typing import TYPE_CHECKING, Any

import phonenumbers
from django.db.models import CharField, Lookup, Q, TextField

from tenancy import current_scope
from tenants.models import PhoneNumber

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup

# A name that fits more lines than this is too short to search the calls of all of them.
MAX_LINES = 200
HOME_REGION = "US"
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[\d\s().\-/]*\d[\d\s().\-/]*")


@TextField.register_lookup
@CharField.register_lookup
class Prefix(_Lookup):
    """`column__prefix="+1415"`: column ^@ '+1415'.

    Unlike LIKE it uses a btree of collation "C" under row level security, and needs no escapes.
    """

    lookup_name = "prefix"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} ^@ {right}", (*left_params, *right_params)


def number_prefixes(term: str, region: str = HOME_REGION) -> list[str]:
    """The E.164 prefixes that a number, whole or in part and in any human format, may mean.

    `region` is where a number without a country code is taken to be. Empty for other text.
    """
    term = term.strip()
    digits = re.sub(r"\D", "", term)
    if len(digits) < 3 or not _NUMBER.fullmatch(term):
        return []
    if (whole := _e164(term, region)) and term.startswith("+"):
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


def _e164(term: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(term, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    formatted: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return formatted


def region_in_scope() -> str:
    """The region of the line in scope; HOME_REGION when all lines are."""
    if current_scope().phone_id is None:
        return HOME_REGION
    line = PhoneNumber.objects.only("number").first()
    if line is None:
        return HOME_REGION
    region: str | None = phonenumbers.region_code_for_number(phonenumbers.parse(line.number))
    return region or HOME_REGION


def lines_that_match(term: str) -> Q:
    """Lines by id, number or a part of their names."""
    condition = Q(id=term) | Q(business_name__icontains=term) | Q(display_name__icontains=term)
    for prefix in number_prefixes(term, region_in_scope()):
        condition |= Q(number__prefix=prefix)
    return condition


def of_lines_that_match(term: str, *, path: str = "") -> Q:
    """Rows by their line. The lines are looked up first: an index serves a list, no OR a join."""
    lines = PhoneNumber.objects.filter(lines_that_match(term)).order_by()
    return Q(**{f"{path}phone_id__in": list(lines.values_list("id", flat=True)[:MAX_LINES])})


def calls_named(term: str, *, path: str = "") -> Q:
    """Calls by SID, id or caller; path leads to the call from another table: "call__"."""
    if _SID.fullmatch(term):
        return Q(**{f"{path}call_sid__in": [term, term[:2].upper() + term[2:].lower()]})
    if _UUID.fullmatch(term):
        return Q(**{f"{path}id": uuid.UUID(term)})
    prefixes = number_prefixes(term, region_in_scope())
    condition = Q() if prefixes else Q(**{f"{path}call_sid": term})
    for prefix in prefixes or [term]:
        condition |= Q(**{f"{path}caller_number__prefix": prefix})
    return condition


def calls_that_match(term: str, *, path: str = "") -> Q:
    """Calls by SID, id, caller or line; path leads to the call from another table: "call__"."""
    condition = calls_named(term, path=path)
    if _names_one_call(term):
        return condition
    return condition | of_lines_that_match(term, path=path)


def _names_one_call(term: str) -> bool:
    return bool(_SID.fullmatch(term) or _UUID.fullmatch(term))
