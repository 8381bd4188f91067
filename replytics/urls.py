"""Where each part of the product answers."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from replytics import health

admin.site.site_title = admin.site.site_header = "Replytics"
admin.site.index_title = "Lines, calls and statistics"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("backoffice/icon.svg"))),
    path("health/live", health.live),
    path("health/ready", health.ready),
]
