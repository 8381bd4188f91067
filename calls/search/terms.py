"""Calls by what a person types into a search box, as conditions that an index serves."""

import re
import uuid

from django.db.models import Q

from calls.claims import CLAIMED
from tenants.addresses import ANONYMOUS, Spoilt, is_withheld, stored_caller_of
from tenants.line_search import of_lines_that_match, region_in_scope
from tenants.numbers import number_prefixes

_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


def calls_named(term: str, *, path: str = "") -> Q:
    """Calls by SID, id or caller; path leads to the call from another table: "call__"."""
    if _SID.fullmatch(term):
        sids = [term, term[:2].upper() + term[2:].lower()]
        condition = Q(**{f"{path}call_sid__in": sids})
        for sid in sids:
            condition |= Q(**{f"{path}call_sid__prefix": sid + CLAIMED.format("")})
        return condition
    if _UUID.fullmatch(term):
        return Q(**{f"{path}id": uuid.UUID(term)})
    prefixes = number_prefixes(term, region_in_scope())
    condition = Q() if prefixes else Q(**{f"{path}call_sid": term})
    for prefix in prefixes or [_one_caller(term)]:
        condition |= Q(**{f"{path}caller_number__prefix": prefix})
    if is_withheld(term):
        condition |= Q(**{f"{path}caller_number": ANONYMOUS})
    return condition


def _one_caller(term: str) -> str:
    """An address as it is stored: the number in sip:+1415…@example.com."""
    try:
        return stored_caller_of(term)
    except Spoilt:
        return term


def calls_that_match(term: str, *, path: str = "") -> Q:
    """Calls by SID, id, caller or line; path leads to the call from another table: "call__"."""
    condition = calls_named(term, path=path)
    if _names_one_call(term):
        return condition
    return condition | of_lines_that_match(term, path=path)


def _names_one_call(term: str) -> bool:
    return bool(_SID.fullmatch(term) or _UUID.fullmatch(term))
