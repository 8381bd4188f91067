"""Models whose rows are checked by clean(), whichever way the ORM writes them.

For what a constraint cannot state. A form calls clean() by itself; here save(), create(),
bulk_create(), update(), bulk_update() and loaddata do so too, and raise ValidationError.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction

from tenancy.models import TenantManager, TenantModel, TenantQuerySet

M = TypeVar("M", bound=models.Model)


class ValidatedQuerySet(TenantQuerySet[M]):
    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        objs = list(objs)
        for row in objs:
            row.clean()
        return super().bulk_create(objs, *args, **kwargs)

    def update(self, **values: Any) -> int:
        """Saves each row where clean() reads what changes; a value may be an expression."""
        model: Any = self.model
        if not values.keys() & set(model.checked_fields):
            return super().update(**values)
        expressions = {
            f"new_{name}": value
            for name, value in values.items()
            if hasattr(value, "resolve_expression")
        }
        with transaction.atomic(using=self.db):
            rows: Any = self.order_by("pk").annotate(**expressions)
            rows = list(rows.select_for_update(of=("self",)))
            for row in rows:
                for name, value in values.items():
                    setattr(row, name, getattr(row, f"new_{name}", value))
                row.save(update_fields=list(values))
        return len(rows)


if TYPE_CHECKING:
    _Manager = TenantManager
else:
    _Manager = TenantManager.from_queryset(ValidatedQuerySet)


class ValidatedManager(_Manager[M]):
    """The manager of validated models."""


class ValidatedModel(TenantModel):
    """Declare `checked_fields`, the fields that clean() reads; it may also normalize them."""

    checked_fields: ClassVar[tuple[str, ...]]

    objects: ClassVar[Any] = ValidatedManager()

    class Meta(TenantModel.Meta):
        abstract = True

    @property
    def known_line(self) -> Any:
        """Its line; None when the database has none of that id in scope, and refuses the row."""
        try:
            return self.phone  # type: ignore[attr-defined]
        except ObjectDoesNotExist:
            return None


def clean_before_save(
    instance: ValidatedModel, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Receiver of pre_save, which save() and loaddata send."""
    if update_fields is None or set(update_fields) & set(instance.checked_fields):
        instance.clean()
