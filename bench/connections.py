"""Django connections beside the product's own, for what somebody else would have built."""

import os
from typing import Any

from bench.database import CLUSTER
from local.embedded import SERVING_LOGIN, SUPERUSER

LOGINS = {
    "bypassing": SUPERUSER,  # no policy holds it
    "plain": SERVING_LOGIN,  # the policies hold it, by what a request set
}


def add_unguarded(alias: str) -> Any:
    """A connection to the same database without our guard, so that it carries no scope."""
    from django.db import connections
    from django.db.backends.postgresql.base import Cursor

    login = LOGINS[alias]
    described = CLUSTER.describe()
    assert described is not None
    connections.settings[alias] = connections.settings["default"] | {
        "USER": login,
        "PASSWORD": described["passwords"][login],
    }
    added: Any = connections[alias]
    added.ensure_connection()
    added.connection.cursor_factory = Cursor  # as Django made it
    added.execute_wrappers.clear()
    return added


def set_up_django(**settings: str) -> None:
    """With more settings than the environment has."""
    import django

    os.environ |= settings
    django.setup()
