"""The admin's pages about the database."""

from django.urls import path

from monitoring import alert_pages, pages

app_name = "database"
urlpatterns = [
    path("", pages.report, name="report"),
    path("alerts/", alert_pages.alerts, name="alerts"),
    path("alerts/<int:pk>/", alert_pages.handle, name="alert"),
    path("statements/", pages.statements, name="statements"),
    path("statements/<int:pk>/", pages.statement, name="statement"),
    path("sessions/", pages.list_sessions, name="sessions"),
    path("sessions/end/", pages.end, name="end"),
]
