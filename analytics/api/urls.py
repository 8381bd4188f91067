"""Below /api/v1/."""

from django.urls import path

from analytics.api import views

urlpatterns = [
    path("stats/daily/", views.DailyStats.as_view()),
    path("stats/hourly/", views.HourlyStats.as_view()),
    path("stats/outcomes/", views.OutcomeStats.as_view()),
    path("stats/summary/", views.SummaryStats.as_view()),
]
