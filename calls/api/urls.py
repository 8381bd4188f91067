"""Below /api/v1/."""

from django.urls import path

from calls.api import views
from calls.api.ingest import CallBySid

urlpatterns = [
    path("calls/", views.Calls.as_view()),
    path("calls/<uuid:call_id>/", views.CallView.as_view()),
    path("calls/<uuid:call_id>/metadata/", views.CallMetadataView.as_view()),
    path("calls/by-sid/<str:call_sid>/", CallBySid.as_view()),
]
