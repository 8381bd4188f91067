"""The list of calls of a stock django.contrib.admin, on the product's settings and middleware.

Its pages are Django's own templates, and staff see all lines in it as in ours. It has the columns,
the order and the page size of ours, a drill-down of dates and a search of caller and SID. Under
admin/ it has the filters of ours that Django has without a line of code, under admin/lean/ the one
of them that asks the database nothing.
"""

import os
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")

import django.contrib.admin
from django.conf import settings
from django.core.wsgi import get_wsgi_application

# Before Unfold's and ours, which the applications have under the same names.
settings.TEMPLATES[0]["DIRS"] = [Path(django.contrib.admin.__file__).parent / "templates"]
application = get_wsgi_application()
settings.ROOT_URLCONF = __name__

from django.contrib import admin  # noqa: E402
from django.urls import path  # noqa: E402

from calls.models import Call  # noqa: E402
from replytics.urls.all import urlpatterns as ours  # noqa: E402

site, lean = admin.AdminSite(), admin.AdminSite(name="lean")


@admin.register(Call, site=lean)
class LeanCalls(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "created_at",
        "caller_number",
        "phone",
        "status",
        "duration",
        "ai_confidence",
        "recording_url",
        "ai_summary",
    )
    list_select_related = ("phone",)
    list_per_page = 50
    date_hierarchy = "created_at"
    list_filter = ("status",)
    search_fields = ("caller_number", "call_sid")
    ordering = ("-created_at", "-id")


@admin.register(Call, site=site)
class StockCalls(LeanCalls):
    list_filter = ("phone", "status", "created_at", "ai_confidence")


# The first of a name is the one that answers and that links lead to.
urlpatterns = [path("admin/lean/", lean.urls), path("admin/", site.urls), *ours]
