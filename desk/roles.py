"""The roles of staff, as groups with the fewest permissions that their work needs.

`migrate` creates the groups and resets their permissions. Give exceptions as another group, or to
the person; a superuser may do everything.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps as installed
from django.contrib import admin
from django.db import router

# Everything that can be viewed, other than people and keys.
VIEW = [
    "calls.view_call",
    "calls.view_callarchive",
    "calls.view_callmetadata",
    "calls.view_callreview",
    "calls.view_legalhold",
    "tenants.view_phonenumber",
    "tenants.view_voicesettings",
    "tenants.view_conversationrule",
    "tenants.view_transferplace",
    "tenants.view_businesshours",
    "tenants.view_specialday",
    "analytics.view_dailycallstatsrow",
    "analytics.view_callanalyticsrow",
    "analytics.view_phoneperformance",
]
# What support needs: how a line answers, and the notes on a call.
SUPPORT = [
    *VIEW,
    "calls.view_callevent",
    "calls.view_refusedcallback",
    "calls.review_call",
    "calls.add_callmetadata",
    "calls.change_callmetadata",
    "tenants.change_specialday",
    *(
        f"tenants.{verb}_{model}"
        for model in ("voicesettings", "conversationrule", "transferplace", "businesshours")
        for verb in ("add", "change")
    ),
]
LEAD = [
    *SUPPORT,
    "calls.view_archiverun",
    "calls.change_callevent",  # retry what was not applied
    "calls.change_call",
    "calls.hold_call",
    "calls.export_call",
    "desk.share_savedview",
    "jobs.view_job",
    "analytics.view_statsverification",
    "tenants.add_phonenumber",
    "tenants.change_phonenumber",
    "tenants.delete_conversationrule",
    "tenants.delete_transferplace",
    "tenants.delete_businesshours",
    *(
        f"tenants.{verb}_{model}"
        for model in ("apikey", "membership")
        for verb in ("view", "add", "change", "delete")
    ),
    "tenants.view_telephonycredential",
    # The database's health and its alerts; the right to end sessions is given to a person.
    "monitoring.view_databasereport",
    "monitoring.change_alert",
]
ROLES = {"Support lead": LEAD, "Support agent": SUPPORT, "Read-only analyst": VIEW}

# Permissions that no page of a model checks, and where they are checked.
OTHER_RIGHTS = {
    "calls.change_callevent": ("inbox events", "retry"),
    "tenants.view_specialday": ("opening hours", "view special days"),
    "tenants.change_specialday": ("opening hours", "add, change and delete special days"),
    "desk.share_savedview": ("saved views", "share with all staff"),
    "jobs.change_job": ("jobs", "retry and cancel"),
    "monitoring.view_databasereport": ("the database", "see its findings and sessions"),
    "monitoring.change_alert": ("the database", "acknowledge and snooze alerts"),
    "monitoring.end_session": ("the database", "cancel and terminate sessions"),
}


def make_roles(*, using: str, apps: Any = installed, **_: Any) -> None:
    """Receiver of post_migrate, since permissions exist from then on only."""
    if not router.allow_migrate(using, "auth") or "group" not in apps.all_models["auth"]:
        return
    group = apps.get_model("auth", "Group")._base_manager.using(using)
    permissions = apps.get_model("auth", "Permission")._base_manager.using(using)
    known = {
        f"{app}.{codename}": key
        for key, app, codename in permissions.values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for name, wanted in ROLES.items():
        role, _made = group.get_or_create(name=name)
        # After migrating back to an older schema some do not exist.
        role.permissions.set([known[right] for right in wanted if right in known])


def who_may() -> Iterator[tuple[str, str, list[bool]]]:
    """A model of the admin, an action on it, and whether each role in ROLES may do it.

    Asks the pages themselves; what not even a superuser may do is left out. Needs a scope.
    """
    people = [_Request(None), *(_Request(set(rights)) for rights in ROLES.values())]
    tables = [m for m in installed.get_models() if admin.site.is_registered(m)]
    for model in sorted(tables, key=lambda m: (m._meta.app_label, m._meta.model_name)):
        opts = model._meta
        model_admin: Any = admin.site.get_model_admin(model)
        name = str(opts.verbose_name_plural)
        for verb in ("view", "add", "change", "delete"):
            check = getattr(model_admin, f"has_{verb}_permission")
            superuser, *roles = [bool(check(person)) for person in people]
            if superuser:
                yield name, verb, roles
        for codename, title in opts.permissions:
            right = f"{opts.app_label}.{codename}"
            yield name, str(title).removeprefix("Can "), [right in r for r in ROLES.values()]
    for right, (name, action) in OTHER_RIGHTS.items():
        yield name, action, [right in rights for rights in ROLES.values()]


class _Request:
    """A request with what a model admin reads of it to check permissions."""

    def __init__(self, rights: set[str] | None) -> None:
        self.user = self
        self.rights = rights

    def has_perm(self, right: str, obj: Any = None) -> bool:
        return self.rights is None or right in self.rights

    def has_perms(self, rights: list[str]) -> bool:
        return all(map(self.has_perm, rights))


def table() -> str:
    """The permissions of each role, in Markdown."""
    head = ["Page", "Permission", "Superuser", *ROLES]
    rows = [[name, what, "yes", *map(_mark, roles)] for name, what, roles in who_may()]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _mark(may: bool) -> str:
    return "yes" if may else "-"
