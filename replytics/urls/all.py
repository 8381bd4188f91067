"""One process that serves everything: the tests, and `make run` where there is no nginx."""

from replytics.urls import admin, api, intake
from replytics.urls import handler400 as handler400
from replytics.urls import handler404 as handler404
from replytics.urls import handler500 as handler500

urlpatterns = [*api.urlpatterns, *intake.urlpatterns, *admin.urlpatterns]
