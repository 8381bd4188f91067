"""Search in calls under row level security.

PostgreSQL evaluates no operator before a policy that might leak what the policy hides, and among
those are @> and @@: under a policy no GIN index is ever used for them. So within one line the
search runs in app.top_calls(), which passes the policies, confines itself to the scope's line and
returns nothing but ids; the query around it reads the rows under the policies as ever. Staff pass
every policy, hence under all_tenants the operators stand in the query itself.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, Expression, F
from django.db.models.sql.compiler import SQLCompiler

from database import exact_json
from database.storable import is_storable, plain
from tenancy import current_scope

MAX_PAGE_SIZE = 1_000
ARGUMENTS = {
    "all_tags": "text[]",
    "any_tags": "text[]",
    "metadata": "jsonb",
    "custom_fields": "jsonb",
    "words": "text",
}
OVER_ALL_LINES = {
    "all_tags": "SELECT call_id FROM call_metadata WHERE tags @> %s::text[]",
    "any_tags": "SELECT call_id FROM call_metadata WHERE tags && %s::text[]",
    "metadata": "SELECT call_id FROM call_metadata WHERE metadata @> %s::jsonb",
    "custom_fields": "SELECT call_id FROM call_metadata WHERE custom_fields @> %s::jsonb",
    "words": "SELECT call_id FROM call_search"
    " WHERE document @@ websearch_to_tsquery('app.words', %s::text)",
}
NEWEST_OVER_ALL_LINES = """
SELECT id FROM calls WHERE {conditions} ORDER BY created_at DESC, id DESC LIMIT %s::integer
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """The conditions of a search; empty ones are ignored. Raises ValueError for a bad limit.

    See CallQuerySet.search().
    """

    all_tags: Sequence[str] | None = None
    any_tags: Sequence[str] | None = None
    metadata: dict[str, Any] | None = None
    custom_fields: dict[str, Any] | None = None
    words: str | None = None
    limit: int | None = None
    before: tuple[datetime, uuid.UUID] | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and not 1 <= self.limit <= MAX_PAGE_SIZE:
            raise ValueError(f"limit must be from 1 to {MAX_PAGE_SIZE}.")
        if self.before and self.limit is None:
            raise ValueError("before requires a limit.")

    def conditions(self) -> list[tuple[str, Any]]:
        """Name and value of each condition, the names being those in app.top_calls()."""
        conditions = {
            "all_tags": list(self.all_tags or ()),
            "any_tags": list(self.any_tags or ()),
            "metadata": self.metadata and exact_json.dumps(self.metadata),
            "custom_fields": self.custom_fields and exact_json.dumps(self.custom_fields),
            "words": self.words and plain(self.words),
        }
        return [(name, value) for name, value in conditions.items() if value]

    def is_empty(self) -> bool:
        return not self.conditions() and self.limit is None

    def can_match(self) -> bool:
        """False when a condition has text that PostgreSQL cannot hold, so that no row matches."""
        exact = [self.all_tags, self.any_tags, self.metadata, self.custom_fields]
        return all(is_storable(condition) for condition in exact)


class Found(Expression):
    """The condition "this call is found", resolved when SQL is compiled, as InScope is."""

    conditional = True

    def __init__(self, search: Search) -> None:
        super().__init__(output_field=models.BooleanField())
        self.search = search
        self.column: Any = F("id")

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(
        self, expressions: Sequence[Combinable | Expression | None]
    ) -> None:
        [self.column] = expressions

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, params = compiler.compile(self.column)
        inside_one_line = current_scope().phone_id is not None
        condition, values = (_in_line if inside_one_line else _over_all_lines)(self.search)
        return condition.format(column=column), (*params, *values)


def _in_line(search: Search) -> tuple[str, list[Any]]:
    arguments = {f"{name} => %s::{ARGUMENTS[name]}": value for name, value in search.conditions()}
    if search.limit:
        arguments["at_most => %s::integer"] = search.limit
    if search.before:
        at, after = search.before
        arguments |= {"before_at => %s::timestamptz": at, "before_id => %s::uuid": after}
    # For an array PostgreSQL looks up each id in the primary key, whatever its estimate.
    found = f"{{column}} = ANY (ARRAY(SELECT app.top_calls({', '.join(arguments)})))"
    return found, [*arguments.values()]


def _over_all_lines(search: Search) -> tuple[str, list[Any]]:
    conditions = [f"{{column}} IN ({OVER_ALL_LINES[name]})" for name, _ in search.conditions()]
    values = [value for _, value in search.conditions()]
    if search.limit is None:
        return " AND ".join(conditions), values
    if search.before:
        conditions.append("(created_at, id) < (%s::timestamptz, %s::uuid)")
        values += search.before
    newest = NEWEST_OVER_ALL_LINES.format(
        conditions=" AND ".join(conditions).format(column="id") or "true"
    )
    return f"{{column}} IN ({newest})", [*values, search.limit]
