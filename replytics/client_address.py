"""Who asks, when the proxy in front passes the request on over a socket file."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

ADDRESS, SCHEME = "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_PROTO"


class ClientAddressMiddleware:
    """Takes address and scheme of the client from the proxy's headers, and removes those.

    Only the proxy reaches the socket file, and it overwrites both headers. Over TCP they stay as a
    client sent them, and are not believed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.META.get("REMOTE_ADDR"):
            request.META["REMOTE_ADDR"] = request.META.pop(ADDRESS, "")
            if request.META.pop(SCHEME, "") == "https":
                request.META["wsgi.url_scheme"] = "https"
        return self.get_response(request)
