"""Views that only the tests have: of an API whose credentials are a header, and plain ones."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from calls.models import Call
from tenancy.request_scope import enter_line, stream
from tests.isolation.proofs import seen


class LineKey(BaseAuthentication):
    """The line named by the header X-Line stands for a key of that line."""

    def authenticate(self, request: Request) -> tuple[Any, str]:
        line = request.headers.get("X-Line")
        if line is None:
            raise AuthenticationFailed
        return None, line


class CallsView(APIView):
    authentication_classes = (LineKey,)
    permission_classes = ()
    throttle_classes = ()
    queryset = Call.objects.all()  # built at import, where there is no scope

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        enter_line(request, str(request.auth))

    def get(self, request: Request) -> Response:
        if "twice" in request.query_params:
            enter_line(request, "pn_garage")
        if "error" in request.query_params:
            raise ZeroDivisionError
        # A forgotten filter in raw SQL: the database holds it all the same.
        return Response(
            {"orm": [c.phone_id for c in self.queryset.all()], "sql": [*seen("default")]}
        )


def without_scope(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"calls": Call.objects.count()})


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        for call in Call.objects.iterator():
            yield f"{call.phone_id}\n"

    enter_line(request, request.headers["X-Line"])
    return StreamingHttpResponse(lines() if "forgotten" in request.GET else stream(lines()))


def in_transaction(request: HttpRequest) -> HttpResponse:
    enter_line(request, request.headers["X-Line"])
    return JsonResponse({"atomic": connection.in_atomic_block, "sql": [*seen("default")]})


urlpatterns = [
    path("", include("replytics.urls.all")),
    path("test/calls/", CallsView.as_view()),
    path("test/without-scope/", without_scope),
    path("test/streamed/", streamed),
    path("test/in-transaction/", in_transaction),
]
