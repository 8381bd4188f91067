"""The service that answers /api/ alone: without sessions, logins, messages and static files."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.MIDDLEWARE = [
    "replytics.request_ids.RequestIdMiddleware",
    "monitoring.request_metrics.MeasureMiddleware",
    "replytics.content_security.ContentSecurityMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
application = get_wsgi_application()
