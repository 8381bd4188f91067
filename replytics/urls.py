"""Where each part of the product answers."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from replytics import health
from tenants.line_switcher import switch_line

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/line/", admin.site.admin_view(switch_line), name="switch_line"),
    path("admin/", admin.site.urls),
    path("health/live", health.live),
    path("health/ready", health.ready),
]
