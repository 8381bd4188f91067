#!/usr/bin/env python
"""Django's command line for Replytics."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
    # Who its sessions are, for whoever watches the database; never an argument.
    os.environ.setdefault("PGAPPNAME", " ".join(["manage.py", *sys.argv[1:2]]))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    except DatabaseError as error:
        from database.errors import explain_unreachable

        if "--traceback" in sys.argv or (reason := explain_unreachable(error)) is None:
            raise
        sys.exit(f"Database: {reason}")
