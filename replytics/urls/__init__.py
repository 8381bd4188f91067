"""Where each service answers, a module for each; `all` is one process in the place of all."""

from django.urls import path

from replytics import health

# Every service tells how it is itself; the proxy asks the admin service.
urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
]

handler400 = "api.problems.bad_request"
handler404 = "api.problems.not_found"
handler500 = "api.problems.server_error"
