"""The menu beside every page: what this user may see, in the order in which it is worked with."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

# Models by group, each with its icon; one that is registered and not named here comes last.
GROUPS: dict[str, dict[str, str]] = {
    "Calls": {
        "calls.call": "call",
        "calls.callarchive": "inventory_2",
        "calls.callmetadata": "sell",
        "calls.callreview": "fact_check",
        "calls.callevent": "inbox",
        "calls.refusedcallback": "inbox",
    },
    "Lines": {
        "tenants.phonenumber": "contact_phone",
        "tenants.voicesettings": "record_voice_over",
        "tenants.conversationrule": "rule",
        "tenants.transferplace": "phone_forwarded",
        "tenants.businesshours": "schedule",
        "tenants.apikey": "key",
        "tenants.telephonycredential": "encrypted",
        "tenants.membership": "badge",
    },
    "Numbers": {
        "analytics.dailycallstatsrow": "calendar_month",
        "analytics.callanalyticsrow": "bar_chart",
        "analytics.phoneperformance": "leaderboard",
    },
    "People": {"auth.user": "person", "auth.group": "groups"},
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's form of the menu."""
    shown = {
        model["model"]._meta.label_lower: model
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    first = [home]
    if request.user.has_perms(["calls.review_call", "calls.view_call"]):
        link = reverse("desk:review")
        first.append({"title": "Review queue", "icon": "rate_review", "link": link})
    groups: list[dict[str, Any]] = [{"title": None, "items": first}]
    for title, icons in GROUPS.items():
        items = [_item(shown.pop(label), icon) for label, icon in icons.items() if label in shown]
        groups.append({"title": title, "items": items})
    rest = [_item(model, "database") for model in shown.values()]
    if request.user.has_perm("monitoring.view_databasereport"):
        link = reverse("database:report")
        rest.insert(0, {"title": "Database", "icon": "monitor_heart", "link": link})
    groups.append({"title": "Operation", "items": rest})
    return [group for group in groups if group["items"]]


def _item(model: dict[str, Any], icon: str) -> dict[str, Any]:
    return {"title": str(model["name"]), "icon": icon, "link": model["admin_url"]}
