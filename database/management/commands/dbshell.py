"""Django's dbshell, which first makes sure that there is a server."""

from typing import Any

from django.core.management.commands import dbshell
from django.db import connections


class Command(dbshell.Command):
    def handle(self, **options: Any) -> None:
        # psql's own failure would end as 'psql … returned non-zero exit status 2'.
        connection = connections[options["database"]]
        connection.ensure_connection()
        connection.close()
        super().handle(**options)
