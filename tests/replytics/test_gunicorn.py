"""gunicorn's configuration: what it hooks into exists in the gunicorn that is installed."""

import os
import subprocess
import sys

from local.embedded import ROOT

# What gunicorn does with the file, and with the hook once the application is loaded.
LOADED = """
import gc
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.workers.gthread import ThreadWorker
config = WSGIApplication("gunicorn").cfg
assert issubclass(config.worker_class, ThreadWorker), config.worker_class
config.when_ready(None)
print(gc.get_freeze_count())
config.on_exit(None)
"""


def test_processes_leave_what_they_loaded_to_no_collector() -> None:
    environment = os.environ | {"GUNICORN_CMD_ARGS": "-c python:replytics.gunicorn"}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert int(loaded.stdout) > 10_000  # objects; a bare interpreter has none
