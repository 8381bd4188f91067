"""Idempotency-Key: a repeated request gets the first one's response."""

from collections.abc import Callable

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import Invalid, KeyUsedOtherwise
from api.idempotency_keys import KEY, KeyReused, claim, hash_request
from api.rendering import to_json
from database import exact_json


def idempotent(request: Request, act: Callable[[], Response]) -> Response:
    """The response of act(), in one transaction; for a key that was used, the first response.

    An error raised by act() leaves the key free.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        with transaction.atomic():
            return act()
    if not KEY.fullmatch(key):
        detail = "An Idempotency-Key must have 1 to 255 visible ASCII characters."
        raise Invalid([{"header": "Idempotency-Key", "detail": detail}])
    sent = exact_json.dumps(request.data, sort_keys=True).encode()
    method = (request.method or "").encode()
    with transaction.atomic():
        try:
            claimed = claim(
                key=key, request_hash=hash_request(method, request.path.encode(), sent)
            )
        except KeyReused:
            raise KeyUsedOtherwise from None
        if claimed.answer is not None:
            return Response(
                claimed.answer["body"],
                status=claimed.status,
                headers={**claimed.answer["headers"], "Idempotency-Replayed": "true"},
            )
        answer = act()
        headers = {name: answer[name] for name in ("Location", "ETag") if name in answer}
        body = exact_json.loads(to_json(answer.data))
        claimed.store(answer.status_code, {"body": body, "headers": headers})
    return answer
