"""The API of the dashboards, and its description."""

from django.urls import include, path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from api.document import DocumentView
from replytics import urls
from replytics.urls import handler400 as handler400
from replytics.urls import handler404 as handler404
from replytics.urls import handler500 as handler500

urlpatterns = [
    # First what is asked most.
    path("api/v1/", include("calls.api.urls")),
    path("api/v1/", include("tenants.api.urls")),
    path("api/v1/", include("decisions.api.urls")),
    path("api/v1/", include("analytics.api.urls")),
    path("api/schema/", DocumentView.as_view(), name="schema"),
    # For everybody; without credentials there is no budget to count against.
    path("api/docs/", SpectacularSwaggerSplitView.as_view(throttle_classes=[]), name="swagger"),
    path("api/redoc/", SpectacularRedocView.as_view(throttle_classes=[]), name="redoc"),
    *urls.urlpatterns,
]
