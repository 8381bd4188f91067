"""One process that serves everything: the tests, and `make run` where there is no nginx."""

from replytics.urls import admin, api, intake

urlpatterns = [*api.urlpatterns, *intake.urlpatterns, *admin.urlpatterns]

handler400 = "replytics.error_pages.bad_request"
handler404 = "replytics.error_pages.not_found"
handler500 = "replytics.error_pages.server_error"
