"""What is typed into the search box becomes conditions that an index serves."""

import re

import pytest
from django.db import connection

from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tenants.numbers import number_prefixes


@pytest.mark.parametrize(
    ("term", "region", "prefixes"),
    [
        ("+14155550101", "US", ["+14155550101"]),
        ("(415) 555-0101", "US", ["+14155550101", "+4155550101"]),
        ("+49 (0)30 901820", "US", ["+4930901820"]),
        ("030 901820", "DE", ["+4930901820", "+030901820"]),
        ("0049 30 901820", "DE", ["+4930901820"]),
        ("0049 30 901820", "US", ["+4930901820"]),
        ("+1415", "US", ["+1415"]),
        ("415 555", "US", ["+415555", "+1415555"]),
        ("12", "US", []),
        ("Bakery 12", "US", []),
        ("", "US", []),
    ],
)
def test_numbers_in_human_form_become_prefixes(
    term: str, region: str, prefixes: list[str]
) -> None:
    assert number_prefixes(term, region)[: len(prefixes)] == prefixes
    assert bool(number_prefixes(term, region)) is bool(prefixes)


@pytest.mark.parametrize("picked", [True, False])
def test_a_prefix_is_found_by_index(line: PhoneNumber, picked: bool) -> None:
    with tenant(line.pk) if picked else all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        found = Call.objects.filter(caller_number__prefix="+1415").order_by("caller_number")
        plan = found.explain()
    assert "using idx_calls_caller_" in plan
    assert re.search(r"Index Cond: .*\(caller_number >= '\+1415'::text\)", plan)


def test_a_prefix_takes_wild_cards_as_they_are(line: PhoneNumber, staff_scope: None) -> None:
    assert not Call.objects.filter(caller_number__prefix="%").exists()
    sql = str(Call.objects.filter(caller_number__prefix="%").query)
    assert "^@" in sql
