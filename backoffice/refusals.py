"""Explains errors of the database to the person who filled in a form."""

from django.db import DatabaseError, models
from psycopg import Error


def explain(error: DatabaseError, model: type[models.Model]) -> str:
    """The message of the constraint or trigger, or the first line of the database's error."""
    cause = error.__cause__
    if not isinstance(cause, Error):
        return "The database rejected this change."
    name = cause.diag.constraint_name
    related = [relation.related_model for relation in model._meta.related_objects]
    for owner in (model, *related):
        assert not isinstance(owner, str)
        for constraint in owner._meta.constraints:
            if constraint.name == name:
                return str(constraint.violation_error_message)
        for trigger in getattr(owner._meta, "triggers", []):
            if trigger.name == name and hasattr(trigger, "message"):
                return str(trigger.message)
    if cause.sqlstate == "23503":
        return "The record that this one belongs to no longer exists."
    return f"The database rejected this change: {cause.diag.message_primary}"
