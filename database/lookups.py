"""Lookups that PostgreSQL can use an index for under row level security."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler


class Prefix(Lookup):
    """`caller_number__prefix="+1415"`: begins with that, letter for letter.

    LIKE might leak what a policy hides, so under one it never uses an index; ^@ cannot and does,
    given a column of collation "C".
    """

    lookup_name = "prefix"

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, column_params = self.process_lhs(compiler, connection)
        prefix, prefix_params = self.process_rhs(compiler, connection)
        return f"{column} ^@ {prefix}", (*column_params, *prefix_params)
