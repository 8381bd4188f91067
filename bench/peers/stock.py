"""Django REST framework as its tutorial has it: ModelViewSet, ModelSerializer, CursorPagination.

With our credentials look-up, throttle and scope, and the whole middleware.
"""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
settings.ROOT_URLCONF = __name__

from django.urls import include, path  # noqa: E402
from rest_framework import pagination, renderers, routers, serializers, viewsets  # noqa: E402
from rest_framework.request import Request  # noqa: E402

from calls.api.page import MADE  # noqa: E402
from calls.api.serializers import FIELDS  # noqa: E402
from calls.models import Call  # noqa: E402
from replytics.urls.all import urlpatterns as ours  # noqa: E402
from tenancy.request_scope import enter_line  # noqa: E402


class StockSerializer(serializers.ModelSerializer[Call]):
    class Meta:
        model = Call
        fields = [name for name in FIELDS if name not in MADE]


class StockPages(pagination.CursorPagination):
    page_size = 20
    ordering = ("-created_at", "-id")


class StockCalls(viewsets.ModelViewSet[Call]):
    scopes = {"GET": "read"}
    serializer_class = StockSerializer
    pagination_class = StockPages
    renderer_classes = [renderers.JSONRenderer]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        enter_line(request, request.auth.phone_id)  # type: ignore[union-attr]

    def get_queryset(self) -> Any:
        return Call.objects.all()


router = routers.SimpleRouter()
router.register("calls", StockCalls, basename="calls")
urlpatterns = [path("", include(router.urls)), *ours]
