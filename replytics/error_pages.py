"""Errors outside of any view: pages for people, problem details for programs."""

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.views import defaults

from api import problems
from database.errors import is_unavailable


def is_for_people(request: HttpRequest) -> bool:
    return not request.path.startswith("/api/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404"""
    if is_for_people(request):
        return defaults.page_not_found(request, exception)
    return problems.not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400"""
    if is_for_people(request):
        return defaults.bad_request(request, exception)
    return problems.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500"""
    error = sys.exception()
    if not is_for_people(request):
        return problems.server_error(request)
    if error is None or not is_unavailable(error):
        return HttpResponseServerError(
            render_to_string("500.html", {"request_id": request.headers.get("X-Request-Id")})
        )
    if not request.accepts("text/html"):
        return problems.server_error(request)
    problems.log_unavailable(error)
    page = HttpResponse(render_to_string("503.html"), status=503)
    page["Cache-Control"] = "no-store"
    return problems.mark_unavailable(page)
