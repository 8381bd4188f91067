"""Where the telephony provider reports calls."""

from django.urls import path

from calls.intake.webhooks import views
from replytics import urls
from replytics.urls import handler400 as handler400
from replytics.urls import handler404 as handler404
from replytics.urls import handler500 as handler500

urlpatterns = [
    path("webhooks/twilio/voice/", views.voice),
    path("webhooks/twilio/recording/", views.recording),
    *urls.urlpatterns,
]
