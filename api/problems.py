"""Errors of the API as problem details: https://www.rfc-editor.org/rfc/rfc9457"""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError
from django.db.models import UniqueConstraint
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler

from api.errors import Invalid
from api.rendering import to_json
from database.errors import RETRY_AFTER, cause_name, is_unavailable, is_value_error

logger = logging.getLogger("replytics.api")

CONTENT_TYPE = "application/problem+json"
BUSY = "The database is busy or unavailable. Send the request again."
UNFORESEEN = "An internal error occurred and was logged. Report it with this request_id."


def describe(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The members of a problem; of `more` those that have a value."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **{name: value for name, value in more.items() if value},
    }


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> Response:
    return Response(
        describe(status, detail, errors=list(errors)),
        status=status,
        headers=dict(headers or {}),
        content_type=CONTENT_TYPE,
    )


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST_FRAMEWORK's EXCEPTION_HANDLER. None for unexpected errors: a 500, which is logged."""
    if is_unavailable(error):
        log_unavailable(error)
        return problem(503, BUSY, headers={"Retry-After": str(RETRY_AFTER)})
    if is_value_error(error):
        return problem(400, "A value is out of range.")
    if isinstance(error, IntegrityError):
        return _refused_by_database(error)
    if isinstance(error, ModelError):  # of clean(), since the serializer looked
        error = ValidationError(as_serializer_error(error))
    answer = exception_handler(error, context)
    if answer is None:
        return None
    kept = ("WWW-Authenticate", "Retry-After", "Allow")
    headers = {name: answer[name] for name in kept if name in answer}
    if isinstance(error, Invalid):
        return problem(400, str(error.detail), errors=error.errors)
    if isinstance(error, ValidationError):
        errors = list(_flatten(error.detail))
        return problem(answer.status_code, "Some fields are not valid.", errors=errors)
    if answer.status_code == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return problem(answer.status_code, str(answer.data["detail"]), headers=headers)


def _refused_by_database(error: IntegrityError) -> Response | None:
    """The answer for a constraint that only the database can check, such as uniqueness."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    known = _constraints().get(name or "")
    if known is None:
        return None
    status, message = known
    return problem(status, message)


@cache
def _constraints() -> dict[str, tuple[int, str]]:
    """Status and message of each constraint, and refusing trigger, that has its own message."""
    return {
        trigger.name: (409, trigger.message)
        for model in apps.get_models()
        for trigger in getattr(model._meta, "triggers", [])
        if hasattr(trigger, "message")
    } | {
        constraint.name: (
            409 if isinstance(constraint, UniqueConstraint) else 400,
            str(constraint.violation_error_message),
        )
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if constraint.violation_error_message != constraint.default_violation_error_message
    }


def _flatten(detail: Any, pointer: str = "#") -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            shown = str(name).encode("ascii", "backslashreplace").decode()  # may be half a pair
            shown = shown.replace("~", "~0").replace("/", "~1")
            below = pointer if name == "non_field_errors" else f"{pointer}/{shown}"
            yield from _flatten(inner, below)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            below = f"{pointer}/{index}" if isinstance(inner, Mapping | list) else pointer
            yield from _flatten(inner, below)
    elif isinstance(detail, ErrorDetail):
        yield {"pointer": pointer, "detail": str(detail)}


def plain_problem(status: int, detail: str, **more: Any) -> HttpResponse:
    body = to_json(describe(status, detail, **more))
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: no view matches the address."""
    return plain_problem(404, "Not found.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: a request that Django rejects before any view."""
    return plain_problem(400, "The request is not valid.")


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: errors outside of the API's views, where `handle` does not reach."""
    if (error := sys.exception()) and is_unavailable(error):
        log_unavailable(error)
        return mark_unavailable(plain_problem(503, BUSY))
    return plain_problem(500, UNFORESEEN, request_id=request.headers.get("X-Request-Id"))


def mark_unavailable(answer: HttpResponse) -> HttpResponse:
    """A 503 with Retry-After; log_unavailable() has logged its cause."""
    answer["Retry-After"] = str(RETRY_AFTER)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # Django would log its text
    return answer


def log_unavailable(error: BaseException) -> None:
    logger.error("the database did not answer: %s", cause_name(error))
