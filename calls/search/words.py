"""Calls by what was said in them, as one condition among others, live and archived.

calls.search.query finds the newest calls with some words. Here other filters and the order of a
list are added, and PostgreSQL estimates badly how many calls contain two words. So a few matching
calls are passed as ids; with many, scanning the list in its order soon finds enough of them.
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

# The number of matches up to which ids are passed. With two million calls, either way then reads
# at most that many rows to fill a page.
MAX_IDS = 10_000
OVER_ALL_LINES = """
SELECT call_id FROM call_search
WHERE document @@ websearch_to_tsquery('app.words', %(words)s) LIMIT %(max_ids)s
"""
# Under a policy no index is used for @@; these functions pass it and keep to the scope's line.
IN_LINE = """
SELECT app.top_calls(words => %(words)s::text, at_most => %(max_ids)s::integer)
"""
IN_LINE_ARCHIVED = """
SELECT id FROM app.top_archived_calls(words => %(words)s::text, at_most => %(max_ids)s::integer)
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
    """The calls of the queryset with these words, and whether they are few enough to count.

    words has the syntax of web search engines: all words, "a phrase", or, -not.
    """
    found = _ids(queryset.model, words)
    if len(found) <= MAX_IDS:
        return queryset.filter(id__any_of=found), True
    query = SearchQuery(words, config="app.words", search_type="websearch")
    matches = ExpressionWrapper(Q(document=query), output_field=BooleanField())
    search = CallSearch.objects.filter(call_id=OuterRef("pk")).annotate(matches=matches)
    condition = Subquery(search.values("matches")[:1], output_field=BooleanField())
    return queryset.filter(condition), False


def _ids(model: Any, words: str) -> list[uuid.UUID]:
    """At most one more than MAX_IDS, so that the caller sees whether these are all."""
    if current_scope().phone_id is None:
        statement = OVER_ALL_LINES
    else:
        statement = IN_LINE if model is Call else IN_LINE_ARCHIVED
    with connection.cursor() as cursor:
        cursor.execute(statement, {"words": words, "max_ids": MAX_IDS + 1})
        return [call_id for (call_id,) in cursor.fetchall()]
