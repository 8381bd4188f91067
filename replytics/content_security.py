"""What a page may load and do, by the Content-Security-Policy header: as little as each needs."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

# Responses other than pages, such as JSON and health: a browser may run nothing in them.
NOTHING = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
# Refusals for people, wherever they went: words, our icon and a style sheet.
REFUSAL = NOTHING | {"style-src": "'self'", "img-src": "'self'"}
# Unfold's Alpine compiles the expressions in our templates, for which it needs 'unsafe-eval'.
# Scripts come only from our own files; Alpine and the charts set style attributes.
ADMIN = NOTHING | {
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self'",
    "style-src-attr": "'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
}
# Swagger UI and Redoc write styles into the page; their pages hold nobody's data.
DOCUMENTATION = NOTHING | {
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "blob:",
}


class ContentSecurityMiddleware:
    """Sets the header on every response; one that a view has set stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        recordings = [f"https://{host}" for host in settings.RECORDING_HOSTS]
        self.admin = _header(ADMIN | {"media-src": " ".join(recordings) or "'none'"})
        self.documentation = _header(DOCUMENTATION)
        self.refusal = _header(REFUSAL)
        self.nothing = _header(NOTHING)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self._policy(request, response))
        return response

    def _policy(self, request: HttpRequest, response: HttpResponse) -> str:
        if response.status_code >= 400 and _is_html(response):
            return self.refusal
        if (admin := _address("admin:index")) and request.path.startswith(admin):
            return self.admin
        if request.path in (_address("swagger"), _address("redoc")):
            return self.documentation
        return self.nothing


@cache  # the same for as long as the process lives
def _address(name: str) -> str | None:
    """None where another service has the page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def _is_html(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


def _header(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())
