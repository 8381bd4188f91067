"""A server does not start on a database that would show one line's calls to another."""

import subprocess
import sys

from django.conf import settings
from django.db import connections

from local.embedded import ROOT


def start() -> subprocess.CompletedProcess[str]:
    """What each gunicorn worker does first, in the database of this test."""
    database = connections["default"].settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    return subprocess.run(
        [sys.executable, "-c", "import replytics.wsgi"],
        cwd=ROOT,
        env={"DATABASE_URL": url, "SECRET_KEY": settings.SECRET_KEY, "PATH": ""},
        capture_output=True,
        text=True,
    )


def test_a_server_refuses_an_unprotected_database(committed: None) -> None:
    assert start().returncode == 0
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE calls DISABLE ROW LEVEL SECURITY")
        try:
            refused = start()
        finally:
            cursor.execute("ALTER TABLE calls ENABLE ROW LEVEL SECURITY")
    assert refused.returncode != 0
    assert "tenancy.E011" in refused.stderr
