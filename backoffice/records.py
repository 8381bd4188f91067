"""Records of bulk actions and exports: who, how many rows, of which list."""

import logging
from typing import cast
from urllib.parse import urlencode

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

from tenancy import current_scope

audit = logging.getLogger("replytics.audit")
# Search terms, which may be a person's number or name.
TYPED = ("q", "words")


def record(request: HttpRequest, model: type[Model], what: str, *, flag: int = CHANGE) -> None:
    """Write to the admin's log and to the logger replytics.audit."""
    which = f"of {current_scope().phone_id or 'all lines'}, {filters_of(request)}"
    user = cast(User, request.user)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(model),
        object_repr=what[:200],
        action_flag=flag,
        change_message=which,
    )
    audit.info("user %s: %s (%s)", user.pk, what, which)


def filters_of(request: HttpRequest) -> str:
    """The list's filters, without search terms."""
    if request.POST.get("select_across") != "1":
        return "selected individually"
    chosen = [(name, "..." if name in TYPED else value) for name, value in request.GET.items()]
    return urlencode(chosen) or "no filters"
