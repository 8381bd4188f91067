"""Calls by what was said in them, as one condition among others, live and archived.

calls.search finds the newest that say something; here other filters and the order of a list come
on top, and PostgreSQL guesses badly how many calls say two words. So it is not asked to guess:
few calls are named one by one, and among many a list soon meets enough of them as it reads.
"""

import uuid
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from calls.models import Call, CallSearch
from tenants.scoping import current_scope

# Calls that are named one by one.
FEW = 1_000
OVER_ALL_LINES = """
SELECT call_id FROM call_search
WHERE document @@ websearch_to_tsquery('app.words', %(words)s) LIMIT %(most)s
"""
# Under a policy no index is used for @@; these functions pass it and keep to the scope's line.
IN_LINE = """
SELECT app.top_calls(words => %(words)s::text, at_most => %(most)s::integer)
"""
IN_LINE_ARCHIVED = """
SELECT id FROM app.top_archived_calls(words => %(words)s::text, at_most => %(most)s::integer)
"""


def that_say(queryset: QuerySet[Any], words: str) -> tuple[QuerySet[Any], bool]:
    """The calls of the queryset that say so, and whether they are few, which can be counted.

    words is what people type into search engines: all words, "a phrase", or, -not.
    """
    found = _ids(queryset.model, words)
    if len(found) <= FEW:
        return queryset.filter(pk__in=found), True
    query = SearchQuery(words, config="app.words", search_type="websearch")
    says = ExpressionWrapper(Q(document=query), output_field=BooleanField())
    said = CallSearch.objects.filter(call_id=OuterRef("pk")).annotate(says=says).values("says")
    return queryset.filter(Subquery(said[:1], output_field=BooleanField())), False


def _ids(model: Any, words: str) -> list[uuid.UUID]:
    """At most one more than FEW, so that the caller sees whether these are all."""
    if current_scope().phone_id is None:
        statement = OVER_ALL_LINES
    else:
        statement = IN_LINE if model is Call else IN_LINE_ARCHIVED
    with connection.cursor() as cursor:
        cursor.execute(statement, {"words": words, "most": FEW + 1})
        return [call_id for (call_id,) in cursor.fetchall()]
