"""gunicorn's configuration: gunicorn -c python:replytics.gunicorn"""

import gc
import os
import shutil
import sys
import tempfile

from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
# Of sessions between requests; each statement is named for its request.
os.environ.setdefault("PGAPPNAME", "replytics web")
try:
    from replytics import settings
except ImproperlyConfigured as error:
    sys.exit(f"Settings: {error}")

# Where the workers count their requests together, for /metrics. A server that USR2 started has the
# folder of the old one in its environment, which goes with that one.
OWN_FOLDER = "replytics-metrics-"
if OWN_FOLDER in os.environ.get("PROMETHEUS_MULTIPROC_DIR", OWN_FOLDER):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=OWN_FOLDER)


def on_exit(server: object) -> None:
    """The master's end; its workers would run what is registered with atexit too."""
    if OWN_FOLDER in os.environ["PROMETHEUS_MULTIPROC_DIR"]:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(worker: object) -> None:
    """What the application consists of stays as long as the worker.

    The collector shall not look through it again and again.
    """
    gc.collect()
    gc.freeze()


wsgi_app = "replytics.wsgi"
# Loopback: a proxy stands in front. A container adds --bind 0.0.0.0:8000.
bind = f"127.0.0.1:{settings.PORT}"
workers = settings.WEB_CONCURRENCY
# Requests wait for the database most of the time; a thread costs one connection while it is busy.
worker_class = "gthread"
threads = 4
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
