"""Every way of the ORM to the database, each as a function of a model and one of its rows.

A reader returns the lines whose rows it saw, or how many rows; a writer how many it changed.
"""

import copy
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import (
    Count,
    DateField,
    DateTimeField,
    Exists,
    F,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.query import prefetch_related_objects

from tenancy.constraints import TenantRLS

NOT_APPLICABLE = object()
EntryPoint = Callable[[Any, Any], Any]


def lines_of(rows: Any) -> set[str]:
    return {getattr(row, row.line_field) for row in rows}


def first_date(model: Any, kind: "type[DateField[Any, Any]]") -> str | None:
    return next((f.name for f in model._meta.fields if isinstance(f, kind)), None)


def is_read_only(model: Any) -> bool:
    """Whether a line may not change its own rows."""
    rules = [rule for rule in model._meta.constraints if isinstance(rule, TenantRLS)]
    return hasattr(model, "write_via") or any("UPDATE" not in rule.tenant_may for rule in rules)


def plain_column(model: Any) -> str:
    """A column that may be written back as it is."""
    keys = {field.name for field in model._meta.pk_fields}
    column: str | None = next(
        (
            f.name
            for f in model._meta.concrete_fields
            if f.name not in keys and not f.is_relation and not f.primary_key
        ),
        None,
    )
    # A table of keys alone: its last one, which no Python forbids.
    return column or model._meta.concrete_fields[-1].name


def a_copy(row: Any) -> Any:
    """The row as if it were new."""
    new = copy.copy(row)
    new._state = copy.copy(row._state)
    new._state.adding = True
    return new


async def collect(rows: Any) -> set[str]:
    return {getattr(row, row.line_field) async for row in rows}


def _dates(model: Any, row: Any) -> Any:
    if (name := first_date(model, DateField)) is None:
        return NOT_APPLICABLE
    return len(model.objects.annotate(n=Count("*")).dates(name, "day")) and None


def _datetimes(model: Any, row: Any) -> Any:
    if (name := first_date(model, DateTimeField)) is None:
        return NOT_APPLICABLE
    return len(model.objects.datetimes(name, "day")) and None


def _neighbour(direction: str) -> EntryPoint:
    def neighbour(model: Any, row: Any) -> Any:
        field = next(
            (f for f in model._meta.fields if isinstance(f, DateField) and not f.null), None
        )
        if field is None or len(model._meta.pk_fields) > 1:
            return NOT_APPLICABLE
        find = getattr(row, f"get_{direction}_by_{field.name}")
        try:
            return lines_of([find()])
        except model.DoesNotExist:
            return None

    return neighbour


def _column(model: Any) -> str:
    return str(model.line_field)


def _forward(model: Any, row: Any) -> Any:
    relations = [f for f in model._meta.fields if f.is_relation]
    if not relations:
        return NOT_APPLICABLE
    return set().union(*(lines_of([getattr(row, relation.name)]) for relation in relations))


def _reverse(model: Any, row: Any) -> Any:
    relations = [r for r in model._meta.related_objects if r.get_accessor_name()]
    if not relations:
        return NOT_APPLICABLE
    seen = set()
    for relation in relations:
        related = getattr(row, relation.get_accessor_name())
        seen |= lines_of([related] if relation.one_to_one else related.all())
    return seen


def _select_related(model: Any, row: Any) -> Any:
    names = [f.name for f in model._meta.fields if f.is_relation]
    if not names:
        return NOT_APPLICABLE
    rows = list(model.objects.select_related(*names))
    return lines_of(rows) | lines_of(getattr(each, name) for each in rows for name in names)


def _prefetch_related(model: Any, row: Any) -> Any:
    names = [r.get_accessor_name() for r in model._meta.related_objects]
    names = [*names, *(f.name for f in model._meta.fields if f.is_relation)]
    return lines_of(model.objects.prefetch_related(*names))


def _prefetch_objects(model: Any, row: Any) -> Any:
    names = [f.name for f in model._meta.fields if f.is_relation]
    if not names:
        return NOT_APPLICABLE
    prefetch_related_objects([row], *names)
    return lines_of(getattr(row, name) for name in names)


def _form_field(model: Any, row: Any) -> Any:
    if len(model._meta.pk_fields) > 1:
        return NOT_APPLICABLE  # Django's forms do not know composite keys
    choices: Any = forms.ModelChoiceField(model.objects.all()).choices
    return len(list(choices)) - 1  # the empty one


def _in_bulk(model: Any, row: Any) -> Any:
    return lines_of(model.objects.in_bulk().values())


async def _ain_bulk(model: Any, row: Any) -> Any:
    return lines_of((await model.objects.ain_bulk()).values())


def _raw(model: Any) -> Any:
    return model.objects.raw(f"SELECT * FROM {model._meta.db_table}")


def _raw_rows(read: Callable[[Any], Any]) -> EntryPoint:
    def rows(model: Any, row: Any) -> Any:
        if len(model._meta.pk_fields) > 1:
            return NOT_APPLICABLE  # Django's raw() does not know composite keys
        return lines_of(read(_raw(model)))

    return rows


def _pickled(model: Any, row: Any) -> Any:
    rows = model.objects.all()
    query = pickle.loads(pickle.dumps(rows.query))  # noqa: S301
    rows = model.objects.none()
    rows.query = query
    return lines_of(rows)


def _locked(model: Any, row: Any) -> Any:
    if is_read_only(model):
        return NOT_APPLICABLE  # a lock takes the privilege to write
    with transaction.atomic():
        return lines_of(model.objects.select_for_update(of=("self",)))


def _serialized(model: Any, row: Any) -> Any:
    if len(model._meta.pk_fields) > 1:
        return NOT_APPLICABLE
    return serializers.serialize("json", model.objects.all()).count('"pk"')


def _combined(operator: str) -> EntryPoint:
    def combine(model: Any, row: Any) -> Any:
        rows, own = model.objects.all(), model.objects.filter(pk=row.pk)
        return lines_of(getattr(rows, operator)(own))

    return combine


def _union(model: Any, row: Any) -> Any:
    columns = model.objects.order_by().values_list(_column(model))
    return {line for (line,) in columns.union(columns, all=True)}


def _intersection(model: Any, row: Any) -> Any:
    columns = model.objects.order_by().values_list(_column(model))
    return {line for (line,) in columns.intersection(columns)}


def _difference(model: Any, row: Any) -> Any:
    columns = model.objects.order_by().values_list(_column(model))
    return {line for (line,) in columns.difference(columns.filter(**{_column(model): "nobody"}))}


def _exists_subquery(model: Any, row: Any) -> Any:
    column = _column(model)
    own = model.objects.filter(**{column: OuterRef(column)})
    return lines_of(model.objects.filter(Exists(own)))


def _scalar_subquery(model: Any, row: Any) -> Any:
    column = _column(model)
    own = model.objects.filter(**{column: OuterRef(column)}).values(column)[:1]
    return set(model.objects.annotate(seen=Subquery(own)).values_list("seen", flat=True))


def _pk_in(model: Any, row: Any) -> Any:
    if len(model._meta.pk_fields) > 1:
        lines = model.objects.values(_column(model))
        return lines_of(model.objects.filter(**{f"{_column(model)}__in": lines}))
    return lines_of(model.objects.filter(pk__in=model.objects.all()))


def _full_clean(model: Any, row: Any) -> Any:
    with suppress(ValidationError):  # such a row exists, of course
        a_copy(row).full_clean()


# By the name of the method they call, so that test_completeness can compare with Django.
READERS: dict[str, EntryPoint] = {
    "__iter__": lambda model, row: lines_of(model.objects.all()),
    "__len__": lambda model, row: len(model.objects.all()),
    "__bool__": lambda model, row: bool(model.objects.all()) and None,
    "__getitem__": lambda model, row: lines_of([model.objects.order_by(_column(model))[0]]),
    "__getitem__ slice": lambda model, row: lines_of(model.objects.all()[:10]),
    "__repr__": lambda model, row: repr(model.objects.all()) and None,
    "__contains__": lambda model, row: (row in model.objects.all()) and None,
    "__and__": _combined("__and__"),
    "__or__": _combined("__or__"),
    "__xor__": lambda model, row: len(
        model.objects.all() ^ model.objects.filter(**{_column(model): "nobody"})
    ),
    "pickle": lambda model, row: len(pickle.loads(pickle.dumps(model.objects.all()))),  # noqa: S301
    "pickle of the query": _pickled,
    "aggregate": lambda model, row: model.objects.aggregate(n=Count("*"))["n"],
    "contains": lambda model, row: model.objects.contains(row) and None,
    "count": lambda model, row: model.objects.count(),
    "dates": _dates,
    "datetimes": _datetimes,
    "difference": _difference,
    "earliest": lambda model, row: lines_of([model.objects.earliest(_column(model))]),
    "exists": lambda model, row: model.objects.exists() and None,
    "explain": lambda model, row: model.objects.explain() and None,
    "first": lambda model, row: lines_of([model.objects.first()]),
    "get": lambda model, row: lines_of([model.objects.get(pk=row.pk)]),
    "in_bulk": _in_bulk,
    "intersection": _intersection,
    "iterator": lambda model, row: lines_of(model.objects.iterator()),
    "last": lambda model, row: lines_of([model.objects.last()]),
    "latest": lambda model, row: lines_of([model.objects.latest(_column(model))]),
    "prefetch_related": _prefetch_related,
    "prefetch_related_objects": _prefetch_objects,
    "raw": _raw_rows(list),
    "raw columns": lambda model, row: _raw(model).columns and None,
    "raw using": _raw_rows(lambda rows: rows.using("default")),
    "raw iterator": _raw_rows(lambda rows: rows.iterator()),
    "select_for_update": _locked,
    "select_related": _select_related,
    "union": _union,
    "values": lambda model, row: {v[_column(model)] for v in model.objects.values()},
    "values_list": lambda model, row: set(model.objects.values_list(_column(model), flat=True)),
    "only": lambda model, row: lines_of(model.objects.only(_column(model))),
    "defer": lambda model, row: lines_of(model.objects.defer(plain_column(model))),
    "annotate F": lambda model, row: set(
        model.objects.annotate(seen=F(_column(model))).values_list("seen", flat=True)
    ),
    "annotate count": lambda model, row: len(
        model.objects.order_by().values(_column(model)).annotate(n=Count("*"))
    ),
    "pk__in": _pk_in,
    "Exists": _exists_subquery,
    "Subquery": _scalar_subquery,
    "_base_manager": lambda model, row: lines_of(model._base_manager.all()),
    "_default_manager": lambda model, row: lines_of(model._default_manager.all()),
    "using": lambda model, row: lines_of(model.objects.using("default")),
    "forward relation": _forward,
    "reverse relation": _reverse,
    "refresh_from_db": lambda model, row: row.refresh_from_db(),
    "get_next_by": _neighbour("next"),
    "get_previous_by": _neighbour("previous"),
    "full_clean": _full_clean,
    "ModelChoiceField": _form_field,
    "serialize": _serialized,
}


async def _acount(model: Any, row: Any) -> Any:
    return await model.objects.acount()


async def _aexists(model: Any, row: Any) -> Any:
    return (await model.objects.aexists()) and None


async def _acontains(model: Any, row: Any) -> Any:
    return (await model.objects.acontains(row)) and None


async def _aget(model: Any, row: Any) -> Any:
    return lines_of([await model.objects.aget(pk=row.pk)])


async def _afirst(model: Any, row: Any) -> Any:
    return lines_of([await model.objects.afirst()])


async def _alast(model: Any, row: Any) -> Any:
    return lines_of([await model.objects.alast()])


async def _aearliest(model: Any, row: Any) -> Any:
    return lines_of([await model.objects.aearliest(_column(model))])


async def _alatest(model: Any, row: Any) -> Any:
    return lines_of([await model.objects.alatest(_column(model))])


async def _aaggregate(model: Any, row: Any) -> Any:
    return (await model.objects.aaggregate(n=Count("*")))["n"]


async def _aexplain(model: Any, row: Any) -> Any:
    return (await model.objects.aexplain()) and None


async def _aiter(model: Any, row: Any) -> Any:
    return await collect(model.objects.all())


async def _aiterator(model: Any, row: Any) -> Any:
    return await collect(model.objects.aiterator())


async def _araw(model: Any, row: Any) -> Any:
    if len(model._meta.pk_fields) > 1:
        return NOT_APPLICABLE
    return await collect(_raw(model))


async def _arefresh_from_db(model: Any, row: Any) -> Any:
    await row.arefresh_from_db()


ASYNC_READERS: dict[str, EntryPoint] = {
    "__aiter__": _aiter,
    "aaggregate": _aaggregate,
    "acontains": _acontains,
    "acount": _acount,
    "aearliest": _aearliest,
    "aexists": _aexists,
    "aexplain": _aexplain,
    "afirst": _afirst,
    "aget": _aget,
    "ain_bulk": _ain_bulk,
    "aiterator": _aiterator,
    "alast": _alast,
    "alatest": _alatest,
    "arefresh_from_db": _arefresh_from_db,
    "raw async for": _araw,
}


def _values(row: Any) -> dict[str, Any]:
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}


def _same_column(model: Any) -> dict[str, Any]:
    column = plain_column(model)
    return {column: F(column)}


def _save_base(model: Any, row: Any) -> None:
    Model.save_base(a_copy(row), raw=True, force_insert=True)


def _loaddata(model: Any, row: Any) -> Any:
    if len(model._meta.pk_fields) > 1:
        return NOT_APPLICABLE
    for loaded in serializers.deserialize("python", serializers.serialize("python", [row])):
        loaded.save()
    return None


# Each is aimed at `row`, whatever line that is of.
WRITERS: dict[str, EntryPoint] = {
    "update": lambda model, row: model.objects.filter(pk=row.pk).update(**_same_column(model)),
    "delete": lambda model, row: model.objects.filter(pk=row.pk).delete()[0],
    "_raw_delete": lambda model, row: model.objects.filter(pk=row.pk)._raw_delete("default"),
    "create": lambda model, row: model.objects.create(**_values(row)),
    "bulk_create": lambda model, row: model.objects.bulk_create([a_copy(row)]),
    "bulk_create ignore_conflicts": lambda model, row: model.objects.bulk_create(
        [a_copy(row)], ignore_conflicts=True
    ),
    "bulk_update": lambda model, row: model.objects.bulk_update([row], [plain_column(model)]),
    "get_or_create": lambda model, row: model.objects.get_or_create(
        pk=row.pk, defaults=_values(row)
    ),
    "update_or_create": lambda model, row: model.objects.update_or_create(
        pk=row.pk, defaults=_values(row)
    ),
    "save": lambda model, row: row.save(),
    "save force_insert": lambda model, row: a_copy(row).save(force_insert=True),
    "save force_update": lambda model, row: row.save(force_update=True),
    "save update_fields": lambda model, row: row.save(update_fields=[plain_column(model)]),
    "save_base": _save_base,
    "loaddata": _loaddata,
    "Model.delete": lambda model, row: row.delete(),
}


async def _aupdate(model: Any, row: Any) -> Any:
    return await model.objects.filter(pk=row.pk).aupdate(**_same_column(model))


async def _adelete(model: Any, row: Any) -> Any:
    return (await model.objects.filter(pk=row.pk).adelete())[0]


async def _acreate(model: Any, row: Any) -> Any:
    await model.objects.acreate(**_values(row))


async def _abulk_create(model: Any, row: Any) -> Any:
    await model.objects.abulk_create([a_copy(row)])


async def _abulk_update(model: Any, row: Any) -> Any:
    await model.objects.abulk_update([row], [plain_column(model)])


async def _aget_or_create(model: Any, row: Any) -> Any:
    await model.objects.aget_or_create(pk=row.pk, defaults=_values(row))


async def _aupdate_or_create(model: Any, row: Any) -> Any:
    await model.objects.aupdate_or_create(pk=row.pk, defaults=_values(row))


async def _asave(model: Any, row: Any) -> Any:
    await row.asave()


async def _model_adelete(model: Any, row: Any) -> Any:
    await row.adelete()


ASYNC_WRITERS: dict[str, EntryPoint] = {
    "abulk_create": _abulk_create,
    "abulk_update": _abulk_update,
    "acreate": _acreate,
    "adelete": _adelete,
    "aget_or_create": _aget_or_create,
    "asave": _asave,
    "aupdate": _aupdate,
    "aupdate_or_create": _aupdate_or_create,
    "Model.adelete": _model_adelete,
}

# What only builds a query or a message, or works on the object in memory.
BUILDERS = {
    "alias",
    "all",
    "annotate",
    "as_manager",
    "complex_filter",
    "distinct",
    "exclude",
    "extra",
    "filter",
    "none",
    "order_by",
    "resolve_expression",
    "reverse",
}
IN_MEMORY = {
    "check",
    "clean",
    "clean_fields",
    "date_error_message",
    "from_db",
    "get_constraints",
    "get_deferred_fields",
    "prepare_database_save",
    "serializable_value",
    "unique_error_message",
}
# Part of full_clean(), which is in the table.
VALIDATION = {"validate_constraints", "validate_unique"}

BUILT: dict[str, Callable[[QuerySet[Any]], Any]] = {
    "all": lambda rows: rows.all(),
    "alias": lambda rows: rows.alias(n=Count("*")),
    "annotate": lambda rows: rows.annotate(n=Count("*")),
    "complex_filter": lambda rows: rows.complex_filter({}),
    "dates": lambda rows: rows.none().dates("created_at", "day"),
    "defer": lambda rows: rows.defer("pk"),
    "distinct": lambda rows: rows.distinct(),
    "exclude": lambda rows: rows.exclude(pk=None),
    "filter": lambda rows: rows.filter(pk__in=rows.values("pk")),
    "none": lambda rows: rows.none(),
    "only": lambda rows: rows.only("pk"),
    "order_by": lambda rows: rows.order_by("pk"),
    "prefetch_related": lambda rows: rows.prefetch_related("phone"),
    "raw": lambda rows: rows.raw("SELECT 1"),
    "select_for_update": lambda rows: rows.select_for_update(),
    "select_related": lambda rows: rows.select_related("phone"),
    "slice": lambda rows: rows[:5],
    "union": lambda rows: rows.union(rows),
    "using": lambda rows: rows.using("default"),
    "values": lambda rows: rows.values("pk"),
    "values_list": lambda rows: rows.values_list("pk"),
}
