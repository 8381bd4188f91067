"""The admin's line switcher: staff confine themselves to one line, and leave it again."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from tenancy import all_tenants
from tenants.line_middleware import PICKED_LINE
from tenants.line_search import find_lines
from tenants.models import PhoneNumber

MAX_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
def switch_line(request: HttpRequest) -> HttpResponse:
    """GET searches the lines; POST switches to the given line, or to all when `line` is empty."""
    wanted = request.POST.get("line", "").replace("\0", "?")  # no line has either
    if request.method == "POST" and not wanted:
        request.session.pop(PICKED_LINE, None)
        messages.info(request, "You are viewing all lines.")
        return redirect("admin:index")
    if not request.user.has_perm("tenants.view_phonenumber"):
        raise PermissionDenied
    with all_tenants(f"line switcher, user {request.user.pk}"):
        if request.method == "POST":
            return _pick(request, wanted)
        words = request.GET.get("q", "").replace("\x00", "").strip()
        lines = list(find_lines(words)[: MAX_SHOWN + 1]) if words else []
    context = {
        **admin.site.each_context(request),
        "title": "Work in one line",
        "words": words,
        "lines": lines[:MAX_SHOWN],
        "more": len(lines) > MAX_SHOWN,
    }
    return TemplateResponse(request, "tenants/switch_line.html", context)


def _pick(request: HttpRequest, phone_id: str) -> HttpResponse:
    line = PhoneNumber.objects.filter(pk=phone_id).first()
    if line is None:
        messages.error(request, "Line not found; it may have been deleted. Search again.")
        return redirect("switch_line")
    request.session[PICKED_LINE] = line.pk
    messages.success(request, f"You are working in {line}. Other lines are hidden.")
    return redirect("admin:index")
