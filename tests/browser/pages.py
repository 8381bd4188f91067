"""The pages of the admin: all that its URLs have, and an address of each."""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import get_resolver, resolve, reverse

from calls.models import Call, CallArchive
from monitoring.models import Statement
from tenants.models import PhoneNumber

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# What answers without a page of its own, and where it is tried instead.
NO_PAGES = {
    "admin/logout/": "a POST that leads to the login",
    "admin/autocomplete/": "JSON of the line filter",
    "admin/jsi18n/": "a script of every form",
    "admin/search/": "the list inside of the command palette",
    "admin/r/<path:content_type_id>/<path:object_id>/": "no model has a page on another site",
    "admin/desk/live/": "a part of the home page, which asks for it",
    "admin/desk/views/": "a POST that leads back to the list",
    "admin/database/alerts/<int:pk>/": "a POST that leads back to the alerts",
    "admin/tenants/conversationrule/preview/": "the sentence inside of a rule's form",
    "admin/tenants/conversationrule/would-change/": "a part of a new rule's form",
    "admin/tenants/conversationrule/<path:object_id>/would-change/": "a part of a rule's form",
    "admin/tenants/phonenumber/<path:object_id>/hours/would-change/": "a part of the hours' form",
    "admin/(?P<url>.*)$": "what is at no address: see the refusals",
}
LOGIN = "/admin/login/"
# The home page, the largest list and the two largest forms.
MAIN_PAGES = re.compile(
    r"/admin/(calls/call/([^/?]+/change/)?|tenants/phonenumber/[^/]+/change/)?"
)


def addresses(user: User) -> Iterator[str]:
    """An address of every page that this superuser can open; needs a scope, and rows of all."""
    yield from ("/admin/", "/admin/desk/review/", "/admin/line/?q=a")
    yield from ("/admin/password_change/", "/admin/password_change/done/")
    yield from (reverse("admin:app_list", args=[app]) for app in ("calls", "tenants"))
    yield "/admin/calls/call/?q=nobody+has+this+name&longer=1&words=loaves"
    yield reverse("admin:auth_user_password_change", args=[user.pk])
    for name in ("report", "alerts", "statements", "sessions"):
        yield reverse(f"database:{name}")
    yield reverse("database:statement", args=[Statement.objects.latest("pk").pk])
    line = PhoneNumber.objects.order_by("pk")[0]
    for page in ("move_number", "hours", "rules", "simulate"):
        yield reverse(f"admin:tenants_phonenumber_{page}", args=[quote(line.pk)])
    for name, call in (("call", Call.objects), ("callarchive", CallArchive.objects)):
        yield reverse(f"admin:calls_{name}_decide_again", args=[call.order_by("pk")[0].pk])
    yield f"{reverse('database:end')}?how=terminated&pid=1&began=2026-01-01"
    for model in MODELS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in pages_of(model, user):
            if page in ("changelist", "add"):
                yield reverse(f"{name}_{page}")
            elif row := model._base_manager.order_by("pk").first():
                yield reverse(f"{name}_{page}", args=[quote(row.pk)])


def pages_of(model: Any, user: User) -> Iterator[str]:
    """What the list, the form and the others of a model are called in Django's admin."""
    model_admin: Any = admin.site._registry[model]
    request: Any = RequestFactory().get("/")
    request.user = user
    yield "changelist"
    yield "change"
    if model_admin.has_add_permission(request):
        yield "add"
    if model_admin.has_delete_permission(request):
        yield "delete"
    if model is User:  # which looks the same for each
        yield "history"


def seen(addresses: list[str]) -> set[str]:
    """The routes that these addresses lead to."""
    return {resolve(address.partition("?")[0]).route for address in addresses}


def routes(user: User) -> set[str]:
    """Every route of the admin that has a page; needs a scope."""
    found = {route for route, _ in _walk(get_resolver().url_patterns) if route not in NO_PAGES}
    for model in MODELS:
        place = f"admin/{model._meta.app_label}/{model._meta.model_name}/"
        found.discard(f"{place}<path:object_id>/")  # leads to the form
        for page in {"change", "add", "delete", "history"} - set(pages_of(model, user)):
            found.discard(f"{place}add/" if page == "add" else f"{place}<path:object_id>/{page}/")
    return found


def _walk(patterns: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^")
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern.url_patterns, route)
        elif route.startswith("admin/"):
            yield route, pattern
