"""Lookups that PostgreSQL can use an index for under row level security."""

from typing import TYPE_CHECKING, Any

from django.db.models import Lookup

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup


class Prefix(_Lookup):
    """`column__prefix="+1415"`: column ^@ '+1415'.

    LIKE might leak what a policy hides, so under one it never uses an index; ^@ cannot and does,
    given a column of collation "C". It needs no escapes.
    """

    lookup_name = "prefix"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, column_params = self.process_lhs(compiler, connection)
        prefix, prefix_params = self.process_rhs(compiler, connection)
        return f"{column} ^@ {prefix}", (*column_params, *prefix_params)
