"""The admin site: Unfold's, with a search confined to the scope and no inline styles."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.module_loading import import_string
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as _UnfoldAdminSite
else:
    _UnfoldAdminSite = UnfoldAdminSite


class BackofficeSite(_UnfoldAdminSite):
    site_title = site_header = "Replytics"
    index_title = "Home"
    index_template = settings.BACKOFFICE_INDEX_TEMPLATE

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # The colours are in backoffice.css: the content security policy allows no <style>.
        return super().each_context(request) | {"colors": None}

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The results of the command palette. Unfold would cache them across scopes."""
        term = request.GET.get("s", "").strip()
        if not term or "\x00" in term:
            return HttpResponse()
        find = import_string(settings.UNFOLD["COMMAND"]["search_callback"])
        context = {"term": term, "results": [*find(request, term), *self._lists(request, term)]}
        return TemplateResponse(
            request, "backoffice/palette.html", context, headers={"HX-Trigger": "search"}
        )

    def _lists(self, request: HttpRequest, term: str) -> Iterable[SearchResult]:
        for app in self.get_app_list(request):
            for model in app["models"]:
                if model["admin_url"] and term.casefold() in str(model["name"]).casefold():
                    yield SearchResult(
                        title=str(model["name"]),
                        description=str(app["name"]),
                        link=model["admin_url"],
                        icon="list",
                    )
