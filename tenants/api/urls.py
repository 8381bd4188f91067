"""Below /api/v1/."""

from django.urls import path

from tenants.api import conversation_rules, line, opening_hours, public_holidays, transfer_places
from tenants.api import security_schemes as security_schemes

urlpatterns = [
    path("phone-number/", line.PhoneNumberView.as_view()),
    path("voice-settings/", line.VoiceSettingsView.as_view()),
    path("conversation-rules/", conversation_rules.ConversationRules.as_view()),
    path("conversation-rules/order/", conversation_rules.ConversationRuleOrder.as_view()),
    path("conversation-rules/schemas/", conversation_rules.RuleSchemas.as_view()),
    path("conversation-rules/<uuid:pk>/", conversation_rules.ConversationRuleView.as_view()),
    path("transfer-places/", transfer_places.TransferPlaces.as_view()),
    path("transfer-places/<uuid:pk>/", transfer_places.TransferPlaceView.as_view()),
    path("business-hours/", opening_hours.BusinessHoursWeek.as_view()),
    path("business-hours/<uuid:pk>/", opening_hours.BusinessHoursDay.as_view()),
    path("business-hours-intervals/", opening_hours.BusinessHoursIntervals.as_view()),
    path("business-hours-intervals/<uuid:pk>/", opening_hours.BusinessHoursIntervalView.as_view()),
    path("special-days/", opening_hours.SpecialDays.as_view()),
    path("special-days/holidays/", public_holidays.PublicHolidays.as_view()),
    path("special-days/<uuid:pk>/", opening_hours.SpecialDayView.as_view()),
]
