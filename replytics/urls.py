"""Where each part of the product answers."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from api.document import DocumentView
from calls.intake.webhooks.views import views
from monitoring.exposition import metrics
from replytics import health
from tenants.line_switcher import switch_line

urlpatterns = [
    # First what is asked most.
    path("api/v1/", include("calls.api.urls")),
    path("api/v1/", include("tenants.api.urls")),
    path("api/v1/", include("analytics.api.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/line/", admin.site.admin_view(switch_line), name="switch_line"),
    path("admin/desk/", include("desk.urls")),
    path("admin/database/", include("monitoring.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("backoffice/icon.svg"))),
    path("api/schema/", DocumentView.as_view(), name="schema"),
    # For everybody; without credentials there is no budget to count against.
    path("api/docs/", SpectacularSwaggerSplitView.as_view(throttle_classes=[]), name="swagger"),
    path("api/redoc/", SpectacularRedocView.as_view(throttle_classes=[]), name="redoc"),
    path("webhooks/twilio/voice/", views.voice),
    path("webhooks/twilio/recording/", views.recording),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics),
]

handler400 = "api.problems.bad_request"
handler404 = "api.problems.not_found"
handler500 = "api.problems.server_error"
