"""Errors outside of any view: pages for people, problem details for programs."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from api import problems
from database.errors import UNAVAILABLE_ERRORS


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
    if not isinstance(error, UNAVAILABLE_ERRORS):
        return defaults.server_error(request)
    if not request.accepts("text/html"):
        return problems.server_error(request)
    problems.log_unavailable(error)
    page = HttpResponse(render_to_string("503.html"), status=503)
    page["Cache-Control"] = "no-store"
    return problems.mark_unavailable(page)
