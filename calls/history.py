"""One history of a line: its calls, live and archived, as if they stood in one table."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Q, Value

from calls.models import Call, CallArchive

SHARED = [field.attname for field in Call._meta.concrete_fields]
PLACES: list[tuple[Any, bool]] = [(Call, False), (CallArchive, True)]
NEWEST_FIRST = ("-created_at", "-id")


@dataclass(frozen=True)
class Position:
    """The place of a call in the history: what a page continues after."""

    created_at: datetime
    id: UUID

    def older(self) -> Q:
        # The first condition is what the index takes; the second decides among equal moments.
        return Q(created_at__lte=self.created_at) & (
            Q(created_at__lt=self.created_at) | Q(id__lt=self.id)
        )


def page(*, limit: int, after: Position | None = None, only: Q | None = None) -> list[Call]:
    """The next `limit` calls of the scope, newest first, each with the attribute `archived`.

    One statement, so one snapshot: a call that the archiver moves meanwhile is neither missed nor
    seen twice. `only` may use any column of calls. With tenant(phone_id) this is one line's.
    """
    condition = (after.older() if after else Q()) & (only or Q())
    live, archive = (
        model.objects.filter(condition)
        .annotate(archived=Value(archived, output_field=BooleanField()))
        .only(*SHARED)
        .order_by(*NEWEST_FIRST)[:limit]
        for model, archived in PLACES
    )
    return list(live.union(archive, all=True).order_by(*NEWEST_FIRST)[:limit])


def find(call_id: UUID) -> Call | CallArchive | None:
    """A call of the scope by its id, wherever it is; the archived one is a CallArchive.

    Asks calls again at last, for one that was restored between the two questions.
    """
    models: list[Any] = [Call, CallArchive, Call]
    for model in models:
        call: Call | CallArchive | None = model.objects.filter(pk=call_id).first()
        if call is not None:
            return call
    return None
