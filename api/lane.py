"""A request that brings its credentials goes straight to its endpoint."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from tenancy import no_tenant

PREFIX = "/api/v1/"
SCHEMES = ("api-key ", "bearer ")


class CredentialsLane:
    """Middleware, before all that is for browsers: static files, sessions, CSRF, login, messages.

    The answer is the same with them; they are most of the time that a request takes in Django.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.answer = convert_exception_to_response(_answer)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        credentials = request.META.get("HTTP_AUTHORIZATION", "")[:8].lower()
        if not (request.path_info.startswith(PREFIX) and credentials.startswith(SCHEMES)):
            return self.get_response(request)
        try:
            request.resolver_match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)  # which may know the address with a slash
        response: Any = self.answer(request)
        # Of CommonMiddleware and XFrameOptionsMiddleware.
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response  # type: ignore[no-any-return]


def _answer(request: Any) -> HttpResponse:
    request.get_host()  # raises DisallowedHost
    view, positional, named = request.resolver_match
    with ExitStack() as request.scopes:
        request.scopes.enter_context(no_tenant())
        response: Any = view(request, *positional, **named)
        return response.render() if hasattr(response, "render") else response  # type: ignore[no-any-return]
