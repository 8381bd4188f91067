"""gunicorn's configuration: gunicorn -c python:replytics.gunicorn"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
try:
    from replytics import settings
except ImproperlyConfigured as error:
    sys.exit(f"Settings: {error}")

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
