"""What every endpoint of the API has in common: it works for the line of its credentials alone."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from tenants.api.authentication import ApiClient
from tenants.scoping import tenant


class LineView(APIView):
    """Enters the scope of the credentials' line once they are known, for the whole request."""

    # HTTP method -> the key scope it takes.
    scopes: ClassVar[Mapping[str, str]] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._line:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        assert isinstance(request.auth, ApiClient)  # HasScope let it through
        self._line.enter_context(tenant(request.auth.phone_id))
