"""Below /api/v1/."""

from django.urls import path

from tenants.api import line, rules_and_hours, transfer_places
from tenants.api import security_schemes as security_schemes

urlpatterns = [
    path("phone-number/", line.PhoneNumberView.as_view()),
    path("voice-settings/", line.VoiceSettingsView.as_view()),
    path("conversation-rules/", rules_and_hours.ConversationRules.as_view()),
    path("conversation-rules/order/", rules_and_hours.ConversationRuleOrder.as_view()),
    path("conversation-rules/schemas/", rules_and_hours.RuleSchemas.as_view()),
    path("conversation-rules/<uuid:pk>/", rules_and_hours.ConversationRuleView.as_view()),
    path("transfer-places/", transfer_places.TransferPlaces.as_view()),
    path("transfer-places/<uuid:pk>/", transfer_places.TransferPlaceView.as_view()),
    path("business-hours/", rules_and_hours.BusinessHoursWeek.as_view()),
    path("business-hours/<uuid:pk>/", rules_and_hours.BusinessHoursDay.as_view()),
]
