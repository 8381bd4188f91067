"""Saved views: the filters of a list under a name, for oneself or for all staff."""

from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from backoffice.paging import AFTER, BEFORE
from desk.models import SavedView

# The position in a list, which is not part of the view.
POSITION_PARAMETERS = (AFTER, BEFORE, "p", "_changelist_filters", "_popup", "_to_field")
# Views of one person, or shared views, for one list.
MAX_SAVED_VIEWS = 50


class ViewForm(forms.Form):
    name = forms.CharField(max_length=60)
    query = forms.CharField(max_length=2_000, required=False)
    shared = forms.BooleanField(required=False)


def views_of(model: type[Model], user: Any) -> QuerySet[SavedView]:
    """A person's own views of a list and those that others share, by name."""
    views = SavedView.objects.filter(list=model._meta.label_lower)
    return views.filter(Q(owner=user) | Q(is_shared=True)).order_by("name", "id")[
        : 2 * MAX_SAVED_VIEWS
    ]


def filters_alone(query: str) -> str:
    """The query string without the place in the list."""
    chosen = QueryDict(query, mutable=True)
    for name in POSITION_PARAMETERS:
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


def save_view(request: HttpRequest) -> HttpResponse:
    """Save a view of `list`, or delete the user's own view whose key is in `delete`.

    A GET comes from somebody who had to log in again before the form was sent.
    """
    if request.method != "POST":
        messages.warning(request, "View not saved: you were logged out. Save it again.")
        return redirect("admin:index")
    model = _list_of(request)
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    user = cast(User, request.user)
    own = SavedView.objects.filter(owner=user, list=model._meta.label_lower)
    if key := request.POST.get("delete", ""):
        if key.isdecimal() and len(key) < 18 and own.filter(pk=key).delete()[0]:
            messages.success(request, "View deleted.")
        return redirect(address)
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, "View not saved: enter a name of at most 60 characters.")
        return redirect(address)
    data = form.cleaned_data
    query = filters_alone(data["query"])
    address = f"{address}?{query}"
    if data["shared"] and not user.has_perm("desk.share_savedview"):
        raise PermissionDenied
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one view at a time
        if own.exclude(name=data["name"]).count() >= MAX_SAVED_VIEWS:
            messages.error(
                request,
                f"View not saved: you have {MAX_SAVED_VIEWS} for this list. Delete one first.",
            )
            return redirect(address)
        own.update_or_create(
            name=data["name"],
            defaults={"query": query, "is_shared": data["shared"]},
            create_defaults={
                "owner": user,
                "list": model._meta.label_lower,
                "query": query,
                "is_shared": data["shared"],
            },
        )
    messages.success(request, f"View saved as “{data['name']}”.")
    return redirect(address)


def _list_of(request: HttpRequest) -> type[Model]:
    """Raises PermissionDenied for a list that does not exist or that this user may not see."""
    try:
        model = apps.get_model(request.POST.get("list", ""))
    except (LookupError, ValueError):
        raise PermissionDenied from None
    if not admin.site.is_registered(model):
        raise PermissionDenied
    if not admin.site.get_model_admin(model).has_view_permission(request):
        raise PermissionDenied
    return model
