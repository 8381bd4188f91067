"""Below /api/v1/."""

from django.urls import path

from decisions.api.calendar import BusinessHoursCalendar

urlpatterns = [
    path("business-hours/calendar/", BusinessHoursCalendar.as_view()),
]
