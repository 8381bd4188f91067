"""Errors of the API as problem details: https://www.rfc-editor.org/rfc/rfc9457"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from tenants.unavailable import RETRY_AFTER, UNAVAILABLE

logger = logging.getLogger("replytics.api")


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    """errors: one {pointer, detail} for each field, as in RFC 9457's own example."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Response(
        body, status=status, headers=dict(headers or {}), content_type="application/problem+json"
    )


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST_FRAMEWORK's EXCEPTION_HANDLER. None for what we did not foresee: a 500, and logged."""
    if isinstance(error, UNAVAILABLE):
        # Its text may quote a row; the class of its cause never does.
        logger.error("the database did not answer: %s", type(error.__cause__ or error).__name__)
        return problem(
            503,
            "The database is busy or away; send the request again.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    if isinstance(error, RecursionError):  # JSON nested too deeply for the parser
        return problem(400, "The JSON is nested too deeply.")
    answer = exception_handler(error, context)
    if answer is None:
        return None
    kept = ("WWW-Authenticate", "Retry-After", "Allow")
    headers = {name: answer[name] for name in kept if name in answer}
    if isinstance(error, ValidationError):
        errors = list(_flatten(error.detail))
        return problem(answer.status_code, "Some fields are not valid.", errors=errors)
    return problem(answer.status_code, str(answer.data["detail"]), headers=headers)


def _flatten(detail: Any, pointer: str = "#") -> Any:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            shown = str(name).encode("ascii", "backslashreplace").decode()  # may be half a pair
            below = pointer if name == "non_field_errors" else f"{pointer}/{shown}"
            yield from _flatten(inner, below)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flatten(inner, pointer)
    elif isinstance(detail, ErrorDetail):
        yield {"pointer": pointer, "detail": str(detail)}
