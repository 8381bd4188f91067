"""The OpenAPI document, the same for everybody and generated once per process."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

MAX_AGE = 300  # seconds, for caches of clients


class DocumentView(SpectacularAPIView):
    """YAML, or JSON for those who accept no other."""

    # Without credentials there is no rate limit to count against.
    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: Any = type(request.accepted_renderer)
        return HttpResponse(
            _written(renderer),
            content_type=renderer.media_type,
            headers={"Cache-Control": f"public, max-age={MAX_AGE}"},
        )


@cache
def _written(renderer: type[Any]) -> bytes:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    written: bytes = renderer().render(schema, renderer_context={})
    return written
