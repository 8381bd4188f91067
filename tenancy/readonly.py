"""The manager of tables that code other than their one writer must not change."""

from typing import Any, NoReturn

from tenancy.models import M, TenantManager, TenantQuerySet


class ReadOnlyTable(Exception):
    """The table is not written through the ORM."""


class ReadOnlyQuerySet(TenantQuerySet[M]):
    """Every write raises ReadOnlyTable with the model's `write_via`: what to use instead."""

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        model: Any = self.model
        raise ReadOnlyTable(model.write_via)

    create = bulk_create = bulk_update = update = delete = _raw_delete = _refuse
    get_or_create = update_or_create = _update = _insert = _refuse
    acreate = abulk_create = abulk_update = aupdate = adelete = _refuse
    aget_or_create = aupdate_or_create = _refuse


ReadOnlyManager = TenantManager.from_queryset(ReadOnlyQuerySet)
