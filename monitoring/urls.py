"""The admin's pages about the database."""

from django.urls import path

from monitoring import pages

app_name = "database"
urlpatterns = [
    path("", pages.report, name="report"),
    path("statements/", pages.statements, name="statements"),
    path("statements/<int:pk>/", pages.statement, name="statement"),
    path("sessions/", pages.list_sessions, name="sessions"),
    path("sessions/end/", pages.end, name="end"),
]
