"""Below /api/v1/."""

from django.urls import path

from calls.api.ingest import CallBySid

urlpatterns = [
    path("calls/by-sid/<str:call_sid>/", CallBySid.as_view()),
]
