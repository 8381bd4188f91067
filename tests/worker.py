"""The real worker on the test database."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

from django.db import connection

from replytics.embedded import ROOT


def work() -> None:
    """Run a real worker until its queue is empty."""
    name = connection.settings_dict["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    subprocess.run(
        [sys.executable, "manage.py", "procrastinate", "worker", "--one-shot"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        check=True,
        capture_output=True,
        timeout=60,
    )
