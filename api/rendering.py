"""The JSON of all responses; PostgreSQL's row_to_json() writes the same bytes."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from database import exact_json


class JSONRenderer(BaseRenderer):
    """Compact UTF-8. DRF's own also escapes U+2028, which PostgreSQL does not."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else to_json(data)


class ProblemRenderer(JSONRenderer):
    """Lets a client ask for errors in their own type; every error has it anyhow."""

    media_type = "application/problem+json"


class Encoder(exact_json.ExactEncoder, JSONEncoder):
    """Exact numbers, and the dates and times of DRF."""


def to_json(data: Any) -> bytes:
    text = exact_json.dumps(
        data, cls=Encoder, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode()
