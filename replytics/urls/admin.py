"""The admin, and what operators and their tools ask for."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from monitoring.exposition import metrics
from replytics import urls
from tenants.line_switcher import switch_line

urlpatterns = [
    *urls.urlpatterns,
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/line/", admin.site.admin_view(switch_line), name="switch_line"),
    path("admin/desk/", include("desk.urls")),
    path("admin/database/", include("monitoring.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("backoffice/icon.svg"))),
    path("metrics", metrics),
]

handler400 = "replytics.error_pages.bad_request"
handler404 = "replytics.error_pages.not_found"
handler500 = "replytics.error_pages.server_error"
