"""gunicorn's configuration for each service: SERVICE=api gunicorn -c python:replytics.gunicorn"""

import gc
import os
import shutil
import sys
import tempfile
from itertools import count
from typing import Any

from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
try:
    from replytics import settings
except ImproperlyConfigured as error:
    sys.exit(f"Settings: {error}")
# Of sessions between requests; each statement is named for its request.
os.environ.setdefault("PGAPPNAME", f"replytics {settings.SERVICE}")

# Where the processes count their requests together, for /metrics. Services that share a folder are
# given it. A server that USR2 started has the folder of the old one in its environment, which goes
# with that one.
OWN_FOLDER = "replytics-metrics-"
if OWN_FOLDER in (os.environ.get("PROMETHEUS_MULTIPROC_DIR") or OWN_FOLDER):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=OWN_FOLDER)

# Where processor time is short, callbacks go first and the admin, which hashes passwords, last.
NICENESS = {"all": 0, "intake": 0, "api": 2, "admin": 5}
if settings.SERVICE not in NICENESS:
    sys.exit(f"Settings: SERVICE is {settings.SERVICE!r}, which serves no requests")
os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS[settings.SERVICE], os.nice(0)))


def when_ready(server: object) -> None:
    """What the application consists of stays as long as the processes, which share it.

    The collector shall not look through it again and again.
    """
    gc.collect()
    gc.freeze()


def on_exit(server: object) -> None:
    """The master's end; its workers would run what is registered with atexit too."""
    if OWN_FOLDER in os.environ["PROMETHEUS_MULTIPROC_DIR"]:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Number the worker as no other is: one that ended leaves its file of counts to the next.

    Files named for process ids, as prometheus_client names them, would be one more after each
    max_requests, and /metrics reads them all.
    """
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in count() if number not in taken)


def post_fork(server: Any, worker: Any) -> None:
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: f"{server.pid}-{worker.number}")  # type: ignore[no-untyped-call]


wsgi_app = "replytics.wsgi"
# Loopback: a proxy stands in front. Behind nginx: --bind unix:/run/replytics/api.sock
bind = f"127.0.0.1:{settings.PORT}"
workers = settings.WEB_CONCURRENCY
# Loaded once, for all workers: a new one answers at once, and they share the memory.
preload_app = True
# Requests wait for the database most of the time; a thread costs one connection while it is busy.
worker_class = "replytics.gunicorn_worker.Worker"
threads = 8 if settings.SERVICE == "admin" else 4  # four of them for logins, by nginx
# As much as nginx lets through (large_client_header_buffers), which refuses more in our words.
limit_request_line = 8_190
limit_request_fields = 32_768
limit_request_field_size = 8_190
# A worker is replaced now and then, so that memory which a library loses comes back; with the
# jitter they are not replaced all at once.
max_requests = 10_000
max_requests_jitter = 1_000
# Seconds that requests have after SIGTERM: less than the 30 after which supervisors kill.
graceful_timeout = 20
# No access log: paths and query strings have callers' numbers, and the proxy keeps one anyway.
accesslog = None
errorlog = "-"
# Nobody asked for a socket that controls the server.
control_socket_disable = True
