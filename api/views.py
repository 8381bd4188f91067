"""The base class of endpoints, which work for the line of their credentials only."""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.clients import ApiClient
from api.parsing import StrictJSONParser
from api.rendering import JSONRenderer
from database.statement_context import answered_within
from tenancy import no_tenant
from tenancy.request_scope import enter_line

# Seconds, for all statements of a request together. A program that waits longer has given up: it
# is answered within three seconds, also where a pooler has no connection for it.
MAX_RESPONSE_TIME = 2.5


class LineView(APIView):
    """Works in the scope of the credentials' line, from the moment that they are known."""

    # HTTP method -> the scope it takes, or those of which it takes any.
    scopes: ClassVar[Mapping[str, str | Collection[str]]] = {}
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    parser_classes = [StrictJSONParser]
    # Bytes of a request; StrictJSONParser refuses more.
    largest_body = 200_000

    @property
    def default_response_headers(self) -> dict[str, str]:
        """No headers: uncached responses need no Vary, and Allow belongs to a 405."""
        return {}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with answered_within(MAX_RESPONSE_TIME), ExitStack() as request.scopes:
            request.scopes.enter_context(no_tenant())
            return super().dispatch(request, *args, **kwargs)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Without a choice between renderers for those who take any, or the one there is."""
        if request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", JSONRenderer.media_type):
            return JSONRenderer(), JSONRenderer.media_type
        return super().perform_content_negotiation(request, force)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if (request.method or "").lower() not in self.http_method_names or not hasattr(
            self, (request.method or "").lower()
        ):
            raise MethodNotAllowed(request.method or "")
        super().initial(request, *args, **kwargs)
        assert isinstance(request.auth, ApiClient)  # HasScope let it through
        enter_line(request, request.auth.phone_id)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Responses belong to one line and change with every call, so no cache stores them."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        client = getattr(request, "_auth", None)
        if isinstance(client, ApiClient):
            for name, value in client.budget.headers().items():
                answer[name] = value
        return answer
