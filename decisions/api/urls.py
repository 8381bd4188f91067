"""Below /api/v1/."""

from django.urls import path

from decisions.api.backtest import BusinessHoursBacktest, ConversationRulesBacktest
from decisions.api.calendar import BusinessHoursCalendar
from decisions.api.call_decisions import CallDecisions
from decisions.api.decide import Decide

urlpatterns = [
    path("conversation-rules/backtest/", ConversationRulesBacktest.as_view()),
    path("business-hours/backtest/", BusinessHoursBacktest.as_view()),
    path("business-hours/calendar/", BusinessHoursCalendar.as_view()),
    path("calls/<uuid:call_id>/decisions/", CallDecisions.as_view()),
    path("decide/", Decide.as_view()),
]
