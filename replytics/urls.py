"""Where each part of the product answers."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from calls.api.ingest import CallBySid
from calls.intake import webhooks
from replytics import health
from tenants.line_switcher import switch_line

admin.site.site_title = admin.site.site_header = "Replytics"
admin.site.index_title = "Lines, calls and statistics"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/line/", admin.site.admin_view(switch_line), name="switch_line"),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("backoffice/icon.svg"))),
    path("api/v1/calls/by-sid/<str:call_sid>/", CallBySid.as_view()),
    path("webhooks/twilio/voice/", webhooks.voice),
    path("webhooks/twilio/recording/", webhooks.recording),
    path("health/live", health.live),
    path("health/ready", health.ready),
]
