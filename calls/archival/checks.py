"""`manage.py check`: the models of calls and of its archive agree."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db.migrations.serializer import serializer_factory
from django.db.models import Model

from calls.archival.columns import Column, disagreement, model_columns, recipe


def check_archive_columns(**_: Any) -> list[CheckMessage]:
    return compare(apps.get_model("calls", "Call"), apps.get_model("calls", "CallArchive"))


def compare(live: type[Model], archive: type[Model]) -> list[CheckMessage]:
    columns = model_columns(live)
    problem = disagreement(columns, model_columns(archive))
    if problem is None:
        return []
    return [Error(problem, hint=_migration(live, archive, columns), obj=archive, id="calls.E001")]


def _migration(live: type[Model], archive: type[Model], columns: list[Column]) -> str:
    """The migration that adds the columns that the archive lacks."""
    known = {column.name for column in model_columns(archive)}
    lacking = [field for field in live._meta.local_concrete_fields if field.column not in known]
    if not lacking:
        return "Give both models the same fields, other than those of the archive alone."
    return "\n".join(
        recipe(field.name, serializer_factory(field).serialize()[0]) for field in lacking
    )
