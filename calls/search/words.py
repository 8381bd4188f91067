"""Calls by what was said in them, as one condition among others, live and archived.

calls.search.query finds the newest calls with some words; here other filters and the order of a
list come on top, and PostgreSQL guesses badly how many calls contain two words. So it is not asked
to guess: few calls are named one by one, and among many a list soon meets enough of them as it
reads.
"""

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import (
    BooleanField,
    ExpressionWrapper,
    Lookup,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
)

from calls.models import Call, CallSearch
from tenancy import current_scope

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup

# Calls that are named one by one. Of two million, either way then reads at most as many rows to
# fill a page.
FEW = 10_000
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


@UUIDField.register_lookup
class AnyOf(_Lookup):
    """`column__any_of=ids`: one array, which costs a fraction of thousands of parameters."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY (%s::uuid[])", (*params, list(self.rhs))


def matching_words(queryset: QuerySet[Any], words: str) -> tuple[QuerySet[Any], bool]:
    """The calls of the queryset that say so, and whether they are few, which can be counted.

    words is what people type into search engines: all words, "a phrase", or, -not.
    """
    found = _ids(queryset.model, words)
    if len(found) <= FEW:
        return queryset.filter(id__any_of=found), True
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
