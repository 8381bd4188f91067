"""The roles of the people who work here, as groups with the least rights that their work needs.

`migrate` makes the groups and puts back what they may do. Whoever needs an exception gets a group
or rights of their own beside the role; a superuser may do everything.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps as installed
from django.contrib import admin
from django.db import router

# Everything that is shown, but neither people nor keys.
LOOK = [
    "calls.view_call",
    "calls.view_callarchive",
    "calls.view_callmetadata",
    "calls.view_callreview",
    "tenants.view_phonenumber",
    "tenants.view_voicesettings",
    "tenants.view_conversationrule",
    "tenants.view_businesshours",
    "analytics.view_dailycallstatsrow",
    "analytics.view_callanalyticsrow",
    "analytics.view_phoneperformance",
]
# What one does for the people who call support: how their line answers, what is said of a call.
SUPPORT = [
    *LOOK,
    "calls.view_callevent",
    "calls.review_call",
    "calls.add_callmetadata",
    "calls.change_callmetadata",
    *(
        f"tenants.{verb}_{model}"
        for model in ("voicesettings", "conversationrule", "businesshours")
        for verb in ("add", "change")
    ),
]
LEAD = [
    *SUPPORT,
    "calls.view_archiverun",
    "calls.change_callevent",  # apply again what was not applied
    "calls.change_call",
    "calls.hold_call",
    "calls.export_call",
    "desk.share_savedview",
    "analytics.view_job",
    "analytics.view_statsverification",
    "tenants.add_phonenumber",
    "tenants.change_phonenumber",
    "tenants.delete_conversationrule",
    "tenants.delete_businesshours",
    *(
        f"tenants.{verb}_{model}"
        for model in ("apikey", "membership")
        for verb in ("view", "add", "change", "delete")
    ),
    "tenants.view_telephonycredential",
    # The database's health, and what is told of it; whoever may end its sessions gets that right
    # as a person.
    "monitoring.view_databasereport",
    "monitoring.change_alert",
]
ROLES = {"Support lead": LEAD, "Support agent": SUPPORT, "Read-only analyst": LOOK}

# Rights that no page of a table asks for, and where they are asked for.
OTHER_RIGHTS = {
    "calls.change_callevent": ("inbox events", "apply again"),
    "desk.share_savedview": ("saved views", "share with all staff"),
    "analytics.change_job": ("jobs", "begin again and cancel"),
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
        # A migration back to an older schema leaves some of them unknown.
        role.permissions.set([known[right] for right in wanted if right in known])


def who_may() -> Iterator[tuple[str, str, list[bool]]]:
    """A table of the admin, what is done with it, and whether each role may: those of ROLES.

    Asks the pages themselves; what not even a superuser may is left out. Needs a scope.
    """
    people = [_Request(None), *(_Request(set(rights)) for rights in ROLES.values())]
    models = sorted(admin.site._registry, key=lambda m: (m._meta.app_label, m._meta.model_name))
    for model in models:
        opts = model._meta
        model_admin: Any = admin.site._registry[model]
        name = str(opts.verbose_name_plural)
        for verb in ("view", "add", "change", "delete"):
            asked = getattr(model_admin, f"has_{verb}_permission")
            superuser, *roles = [bool(asked(person)) for person in people]
            if superuser:
                yield name, verb, roles
        for codename, words in opts.permissions:
            right = f"{opts.app_label}.{codename}"
            yield name, str(words).removeprefix("Can "), [right in r for r in ROLES.values()]
    for right, (name, words) in OTHER_RIGHTS.items():
        yield name, words, [right in rights for rights in ROLES.values()]


class _Request:
    """What a model admin asks a request for when it decides who may do what."""

    def __init__(self, rights: set[str] | None) -> None:
        self.user = self
        self.rights = rights

    def has_perm(self, right: str, obj: Any = None) -> bool:
        return self.rights is None or right in self.rights

    def has_perms(self, rights: list[str]) -> bool:
        return all(map(self.has_perm, rights))


def table() -> str:
    """Who may do what, in Markdown."""
    head = ["Of", "may", "Superuser", *ROLES]
    rows = [[name, what, "yes", *map(_says, roles)] for name, what, roles in who_may()]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _says(may: bool) -> str:
    return "yes" if may else "-"
