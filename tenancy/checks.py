"""System checks of the models and the settings; catalog.py checks the server."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.checks import CheckMessage, Error
from django.db import models
from django.db.models import F, Field, Model, UniqueConstraint
from django.db.models.expressions import ExpressionList

from tenancy.constraints import TenantKeyConstraint, TenantRLS
from tenancy.models import ScopedModel, TenantManager, TenantModel
from tenancy.sharing import reason_to_share
from tenancy.triggers import MatchParentTenant


def check_models(
    *, app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[CheckMessage]:
    """tenancy.E001 to E007."""
    return [
        problem
        for model in apps.get_models(include_auto_created=True)
        if app_configs is None or model._meta.app_config in app_configs
        for problem in problems_of(model)
    ]


def problems_of(model: type[Model]) -> Iterator[CheckMessage]:
    """What makes a model unsafe in a database of many lines."""
    if not issubclass(model, ScopedModel):
        if not reason_to_share(model):
            yield _error(
                1,
                model,
                f"{model._meta.label} belongs to no line and is not listed as shared.",
                "Make it a TenantModel. Or if all lines may share it, say why: `shared_because` on"
                " the model, or for another's app SHARED_APPS in tenancy/sharing.py.",
            )
        return
    if not all(isinstance(manager, TenantManager) for manager in _managers(model)):
        yield _error(
            5,
            model,
            f"A manager of {model._meta.label} does not filter by the scope.",
            "Derive each manager from TenantManager, and let its Meta extend TenantModel.Meta,"
            " which makes `objects` the default and the base manager.",
        )
    if model._meta.managed and not model._meta.proxy:
        yield from _problems_of_table(model)


def _problems_of_table(model: type[ScopedModel]) -> Iterator[CheckMessage]:
    label, line = model._meta.label, model.line_field
    rules = [rule for rule in model._meta.constraints if isinstance(rule, TenantRLS)]
    if not any(rule.column == line for rule in rules):
        yield _error(
            2,
            model,
            f"{label} has no row level security on {line}.",
            "Begin Meta.constraints with *TenantModel.Meta.constraints and run makemigrations.",
        )
    if not any(_column(model, first) == line for first in _first_columns(model)):
        yield _error(
            3,
            model,
            f"{label} has no index that begins with {line}, so each query reads all lines.",
            "Add to Meta.indexes one that does, named for the query it serves:"
            ' models.Index(fields=["phone", …]).',
        )
    accepted = getattr(model, "unique_over_all_lines", {})
    for names in _uniques(model):
        if not any(_is_confined(model, name) for name in names) and not accepted.get(
            ", ".join(names)
        ):
            yield _error(
                4,
                model,
                f"({', '.join(names)}) of {label} is unique over all lines, so that writing tells"
                " one line what another one has.",
                f"Put {line} into the constraint, or say on the model why not:"
                f' unique_over_all_lines = {{"{", ".join(names)}": "…"}}.',
            )
    for field in _crossing_keys(model):
        yield _error(
            6,
            model,
            f"{label}.{field.name} may name a row of another line: PostgreSQL checks foreign keys"
            " past every policy.",
            f'Add MatchParentTenant(name="…", column="{field.column}", …) to Meta.triggers, or'
            " take INSERT and UPDATE out of tenant_may.",
        )
    if (
        issubclass(model, TenantModel)
        and not any(isinstance(rule, TenantKeyConstraint) for rule in model._meta.constraints)
        and not getattr(model, "outlives_line", None)
    ):
        yield _error(
            7,
            model,
            f"{label} has no foreign key to its line, so its rows outlive it.",
            "Begin Meta.constraints with *TenantModel.Meta.constraints and run makemigrations,"
            ' or say on the model why it may: outlives_line = "…".',
        )


def check_settings(**_: Any) -> list[CheckMessage]:
    """tenancy.E008 and E009."""
    return [
        problem
        for alias, database in settings.DATABASES.items()
        if database.get("ENGINE", "").endswith("postgresql")
        for problem in problems_of_database(alias, database)
    ]


def problems_of_database(alias: str, database: dict[str, Any]) -> Iterator[CheckMessage]:
    """What in DATABASES keeps the scope from travelling with each statement."""
    if database.get("OPTIONS", {}).get("server_side_binding"):
        yield Error(
            f"DATABASES[{alias!r}] binds parameters on the server, which allows one statement a"
            " message: the scope cannot travel with it.",
            hint='Remove "server_side_binding" from its OPTIONS.',
            id="tenancy.E008",
        )
    if not database.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield Error(
            f"DATABASES[{alias!r}] uses server-side cursors, which outlive their scope.",
            hint='Set "DISABLE_SERVER_SIDE_CURSORS": True.',
            id="tenancy.E009",
        )


def _error(number: int, model: type[Model], message: str, hint: str) -> Error:
    return Error(message, hint=hint, obj=model, id=f"tenancy.E{number:03}")


def _managers(model: type[Model]) -> Iterable[Any]:
    return [*model._meta.managers, model._base_manager, model._default_manager]


def _column(model: type[Model], name: str) -> str | None:
    field = model._meta.get_field(name)
    return field.attname if isinstance(field, Field) else None


def _first_columns(model: type[Model]) -> Iterator[str]:
    """The fields by which an index of the whole table can be entered."""
    for index in model._meta.indexes:
        if type(index) in {models.Index, GinIndex} and not index.condition:
            if index.fields:
                yield index.fields_orders[0][0]
            else:
                yield from _name_of(index.expressions[0])
    for rule in model._meta.constraints:
        if isinstance(rule, UniqueConstraint) and not rule.condition:
            yield from rule.fields[:1] or _name_of(rule.expressions[0])
    yield from (names[0] for names in _keys_of_fields(model))


def _name_of(expression: Any) -> Iterator[str]:
    if isinstance(expression, F):
        yield expression.name  # type: ignore[attr-defined]


def _uniques(model: type[Model]) -> Iterator[tuple[str, ...]]:
    """The names of the fields of each unique key, the primary key among them."""
    yield from _keys_of_fields(model)
    for rule in model._meta.constraints:
        if isinstance(rule, UniqueConstraint):
            parts = ExpressionList(*(rule.expressions or rule.fields)).flatten()
            columns: list[Any] = [part for part in parts if isinstance(part, F)]
            yield tuple(column.name for column in columns)


def _keys_of_fields(model: type[Model]) -> Iterator[tuple[str, ...]]:
    if isinstance(model._meta.pk, models.CompositePrimaryKey):
        yield model._meta.pk.field_names
    yield from ((field.name,) for field in model._meta.local_concrete_fields if field.unique)
    yield from (tuple(names) for names in model._meta.unique_together)


def _is_confined(model: type[ScopedModel], name: str) -> bool:
    """True when a value of the field is the line, leads to one line, or cannot be guessed."""
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    if field.attname == model.line_field or field.is_relation:
        return True
    return isinstance(field, models.UUIDField | models.AutoField)


def _crossing_keys(model: type[ScopedModel]) -> Iterator["Field[Any, Any]"]:
    """Foreign keys to tenant tables that a line may write and that no trigger holds."""
    may = {
        word
        for rule in model._meta.constraints
        if isinstance(rule, TenantRLS)
        for word in rule.tenant_may.split(", ")
    }
    held = {
        trigger.column
        for trigger in getattr(model._meta, "triggers", ())
        if isinstance(trigger, MatchParentTenant)
    }
    if not may & {"INSERT", "UPDATE"}:
        return
    for field in model._meta.local_concrete_fields:
        related = field.related_model
        if (
            field.attname != model.line_field
            and isinstance(related, type)
            and issubclass(related, ScopedModel)
            and field.column not in held
        ):
            yield field
