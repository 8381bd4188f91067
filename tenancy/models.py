"""Managers that filter by the scope, and refuse to work without one."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.conf import settings
from django.core.exceptions import FullResultSet
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, Expression, F
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from tenancy.constraints import TenantKeyConstraint, TenantRLS
from tenancy.scope import NoTenantActive, active_scope, current_scope

if TYPE_CHECKING:
    _ForeignKey = models.ForeignKey[Any, Any]
else:
    _ForeignKey = models.ForeignKey

M = TypeVar("M", bound=models.Model)


class InScope(Expression):
    """The condition "this row belongs to the scope's line", resolved when SQL is compiled.

    No queryset ever stores a line, so a lazy one follows the scope it is evaluated in.
    """

    conditional = True

    def __init__(self, column: str) -> None:
        super().__init__(output_field=models.BooleanField())
        self.column: Any = F(column)

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(
        self, expressions: Sequence[Combinable | Expression | None]
    ) -> None:
        [self.column] = expressions

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        scope = current_scope()
        if scope.phone_id is None:
            raise FullResultSet
        sql, params = compiler.compile(self.column)
        return f"{sql} = %s", (*params, scope.phone_id)


class TenantRawQuerySet(models.query.RawQuerySet):  # type: ignore[type-arg]
    """Raw SQL is not filtered here, RLS does that; it is refused without a scope all the same."""

    @classmethod
    def of(cls, plain: Any) -> Any:
        plain.__class__ = cls  # Django names its own class in raw() and using()
        return plain

    def iterator(self) -> Any:
        current_scope()
        yield from super().iterator()

    @property
    def columns(self) -> Any:
        current_scope()
        return super().columns

    def using(self, alias: str | None) -> Any:
        return self.of(super().using(alias))


class TenantQuerySet(models.QuerySet[M]):
    """Closes the entry points that build no WHERE clause; RLS stands behind them all the same."""

    def _insert(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> Any:
        """Where every INSERT of the ORM passes: save, create, bulk_create, loaddata."""
        objs = list(objs)
        refuse_other_lines(objs)
        return super()._insert(objs, *args, **kwargs)  # type: ignore[misc]

    def bulk_update(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> int:
        objs = list(objs)
        refuse_other_lines(objs)
        return super().bulk_update(objs, *args, **kwargs)

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        return TenantRawQuerySet.of(super().raw(*args, **kwargs))


@cache
def _query_in_scope(model: Any) -> Query:
    """Resolved once for each model; it holds no line, and each queryset clones it."""
    return models.QuerySet(model).filter(InScope(model.line_field)).query


if TYPE_CHECKING:
    _Manager = models.Manager
else:
    _Manager = models.Manager.from_queryset(TenantQuerySet)


class TenantManager(_Manager[M]):
    """Default and base manager of every tenant model."""

    def get_queryset(self) -> models.QuerySet[M]:
        rows = super().get_queryset()
        rows.query = _query_in_scope(self.model).chain()
        return rows


def line_in_scope() -> str | None:
    """Default of TenantModel.phone: the scope's line."""
    scope = active_scope()
    return scope.phone_id if scope else None


def refuse_other_lines(rows: Iterable[models.Model]) -> None:
    """Raises NoTenantActive without a scope, and for a row that is not of the scope's line.

    The line of a row that was loaded without it is left to the WHERE clause and to RLS.
    """
    scope = current_scope()
    if scope.phone_id is None:
        return
    for row in rows:
        field = type(row).line_field  # type: ignore[attr-defined]
        if row.__dict__.get(field, scope.phone_id) != scope.phone_id:
            raise NoTenantActive("This row belongs to another line than the active scope.")


class ScopedModel(models.Model):
    """A model whose rows each belong to one line, named by the field `line_field`."""

    line_field = "phone_id"

    objects: ClassVar[Any] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = default_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        refuse_other_lines([self])
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        refuse_other_lines([self])
        return super().delete(*args, **kwargs)


class TenantForeignKey(_ForeignKey):
    """The field `phone` of a tenant model. null: rows of no line are for staff alone."""

    def __init__(self, to: Any = None, on_delete: Any = None, **options: Any) -> None:
        super().__init__(
            to or settings.TENANT_MODEL,
            on_delete or models.DO_NOTHING,  # the database cascades: TenantKeyConstraint
            **{**self._own(), **options},
        )

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """Only the arguments that differ from other tenant models."""
        name, path, args, kwargs = super().deconstruct()
        own = {
            "to": settings.TENANT_MODEL.lower(),
            "on_delete": models.DO_NOTHING,
            **self._own(),
        }
        kwargs = {key: value for key, value in kwargs.items() if own.get(key, ...) != value}
        return name, path, args, kwargs

    @staticmethod
    def _own() -> dict[str, Any]:
        return {
            "db_constraint": False,
            "db_index": False,  # an index that begins with phone_id is declared by name
            "default": line_in_scope,
            "verbose_name": "line",
        }


class TenantModel(ScopedModel):
    """A table with phone_id, confined by both walls.

    Declare `phone = TenantForeignKey(related_name=...)`; a Meta of its own extends
    TenantModel.Meta and repeats TenantModel.Meta.constraints.
    """

    class Meta(ScopedModel.Meta):
        abstract = True
        constraints = [TenantRLS(), TenantKeyConstraint()]
