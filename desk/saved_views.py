"""Saving the filters of a list under a name, for oneself or for everybody, and forgetting them."""

from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from backoffice.paging import AFTER, BEFORE
from desk.models import SavedView

# Where in a list somebody was, which is no part of the view.
PLACES = (AFTER, BEFORE, "p", "_changelist_filters", "_popup", "_to_field")
# A person's views of one list, and those that all share: more would be no help.
MAX_COUNT = 50


class ViewForm(forms.Form):
    name = forms.CharField(max_length=60)
    query = forms.CharField(max_length=2_000, required=False)
    shared = forms.BooleanField(required=False)


def views_of(model: type[Model], user: Any) -> QuerySet[SavedView]:
    """A person's own views of a list and those that others share, by name."""
    views = SavedView.objects.filter(list=model._meta.label_lower)
    return views.filter(Q(owner=user) | Q(is_shared=True)).order_by("name", "id")[: 2 * MAX_COUNT]


def filters_alone(query: str) -> str:
    """The query string without the place in the list."""
    chosen = QueryDict(query, mutable=True)
    for name in PLACES:
        chosen.pop(name, None)
    return chosen.urlencode()


def panel(request: HttpRequest, changes: ChangeList) -> dict[str, Any]:
    """The context of desk/saved_views.html, above a list."""
    here = filters_alone(request.GET.urlencode())
    return {
        "list": changes.model._meta.label_lower,
        "views": [
            {
                "view": view,
                "is_here": view.query == here,
                "is_own": view.owner_id == request.user.pk,
            }
            for view in views_of(changes.model, request.user)
        ],
        "query": here,
        "may_share": request.user.has_perm("desk.share_savedview"),
    }


def keep_view(request: HttpRequest) -> HttpResponse:
    """Save a view of `list`, or delete one's own whose key is in `forget`.

    Whoever had to log in again before that comes back with a GET.
    """
    if request.method != "POST":
        messages.warning(request, "Nothing was saved: you were logged out. Do it again.")
        return redirect("admin:index")
    model = _list_of(request)
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    user = cast(User, request.user)
    own = SavedView.objects.filter(owner=user, list=model._meta.label_lower)
    if forget := request.POST.get("forget", ""):
        if forget.isdecimal() and len(forget) < 18 and own.filter(pk=forget).delete()[0]:
            messages.success(request, "The view is gone.")
        return redirect(address)
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The view was not saved: give it a name of at most 60 characters.")
        return redirect(address)
    said = form.cleaned_data
    query = filters_alone(said["query"])
    address = f"{address}?{query}"
    if said["shared"] and not user.has_perm("desk.share_savedview"):
        raise PermissionDenied
    if own.count() >= MAX_COUNT:
        messages.error(
            request, f"The view was not saved: {MAX_COUNT} are the most. Forget some first."
        )
        return redirect(address)
    own.update_or_create(
        name=said["name"],
        defaults={"query": query, "is_shared": said["shared"]},
        create_defaults={
            "owner": user,
            "list": model._meta.label_lower,
            "query": query,
            "is_shared": said["shared"],
        },
    )
    messages.success(request, f"This list is saved as “{said['name']}”.")
    return redirect(address)


def _list_of(request: HttpRequest) -> type[Model]:
    """Raises PermissionDenied for a list that this user may not see, or that is none."""
    try:
        model = apps.get_model(request.POST.get("list", ""))
    except (LookupError, ValueError):
        raise PermissionDenied from None
    if not admin.site.is_registered(model):
        raise PermissionDenied
    if not admin.site.get_model_admin(model).has_view_permission(request):
        raise PermissionDenied
    return model
