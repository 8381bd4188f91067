#!/usr/bin/env python
"""Django's command line for Replytics."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
    # Who its sessions are, for whoever watches the database; never an argument.
    os.environ.setdefault("PGAPPNAME", " ".join(["manage.py", *sys.argv[1:2]]))
    from console.command_line import main

    main(sys.argv)
