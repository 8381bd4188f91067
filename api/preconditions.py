"""ETag, If-None-Match and If-Match: https://www.rfc-editor.org/rfc/rfc9110#section-13"""

import hashlib
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import PreconditionFailed
from api.rendering import to_json


def etag_of(data: Any) -> str:
    """A strong validator: two answers have the same one when they are the same bytes."""
    return f'"{hashlib.sha256(to_json(data)).hexdigest()[:32]}"'


def answer_if_changed(request: Request, data: Any, *, etag: str | None = None) -> Response:
    """200 with an ETag, that of the data by default, or 304 when the client's copy is current."""
    etag = etag or etag_of(data)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    headers = {"ETag": etag}
    if "*" in known or etag in {tag.removeprefix("W/") for tag in known}:
        return Response(status=304, headers=headers)
    return Response(data, headers=headers)


def require_match(request: Request, current: Any) -> None:
    """current: as the client would read it, of a row that is locked; None when there is none.

    Raises PreconditionFailed when If-Match names another state.
    """
    if "If-Match" not in request.headers:
        return
    wanted = parse_etags(request.headers["If-Match"])
    if current is None or ("*" not in wanted and etag_of(current) not in wanted):
        raise PreconditionFailed
