"""A server does not start on a database that would show one line's calls to another."""

import os
import subprocess
import sys

from django.db import connections

from replytics.embedded import ROOT


def start() -> subprocess.CompletedProcess[str]:
    """What each gunicorn worker does first, in the database of this test."""
    settings = connections["default"].settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)
    return subprocess.run(
        [sys.executable, "-c", "import replytics.wsgi"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
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
    assert "tenants.E011" in refused.stderr
