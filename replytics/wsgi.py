"""The WSGI application that gunicorn serves."""

import os

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")

application = get_wsgi_application()
# Rather no server than one that shows a line's calls to another. Some 50 ms for each worker.
BaseCommand().check(tags=["tenancy"], databases=["default"])
connections.close_all()  # not to be shared with processes that are forked from this one
