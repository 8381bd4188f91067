"""What the database says when it refuses a row, in words for the person who filled in the form."""

from django.db import DatabaseError, models
from psycopg import Error


def explain(error: DatabaseError, model: type[models.Model]) -> str:
    """The constraint's own message, a refusing trigger's, or the database's first line."""
    cause = error.__cause__
    if not isinstance(cause, Error):
        return "The database refused this."
    name = cause.diag.constraint_name
    related = [relation.related_model for relation in model._meta.related_objects]
    for owner in (model, *related):
        assert not isinstance(owner, str)
        for constraint in owner._meta.constraints:
            if constraint.name == name:
                return str(constraint.violation_error_message)
    if cause.sqlstate == "23503":
        return "The row that this one belongs to is gone."
    return f"The database refused this: {cause.diag.message_primary}"
