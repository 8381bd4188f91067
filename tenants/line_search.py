"""Lines by what a person types into a search box."""

import re

from django.conf import settings
from django.db.models import Q, QuerySet

from tenancy import current_scope
from tenants.addresses import line_numbers
from tenants.models import PhoneNumber
from tenants.numbers import number_prefixes

# A name that matches more lines than this is too short to search the rows of all of them.
MAX_LINES = 200


def region_in_scope() -> str:
    """The country of the line in scope; settings.HOME_REGION when all lines are."""
    line = None if current_scope().phone_id is None else PhoneNumber.objects.only("number").first()
    region: str = line.region if line else settings.HOME_REGION
    return region


def lines_that_match(term: str) -> Q:
    """Lines by id, number or a part of their names."""
    condition = Q(id=term) | Q(business_name__icontains=term) | Q(display_name__icontains=term)
    for prefix in number_prefixes(term, region_in_scope()):
        condition |= Q(number__prefix=prefix)
    return condition


def of_lines_that_match(term: str, *, path: str = "") -> Q:
    """Rows by their line, looked up first: an index serves a list of ids, not an OR on a join."""
    lines = PhoneNumber.objects.filter(lines_that_match(term)).order_by()
    return Q(**{f"{path}phone_id__in": list(lines.values_list("id", flat=True)[:MAX_LINES])})


def find_lines(words: str) -> QuerySet[PhoneNumber]:
    """Lines by part of their name, by part of their number in any notation, or by their id."""
    found = Q(business_name__icontains=words) | Q(display_name__icontains=words) | Q(id=words)
    if digits := re.sub(r"[^0-9]", "", words):
        found |= Q(number__contains=digits) | Q(number__in=line_numbers(words, region_in_scope()))
    lines: QuerySet[PhoneNumber] = PhoneNumber.objects.filter(found)
    return lines.order_by("business_name", "id")
