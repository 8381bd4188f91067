"""The page on which the rules of a line are put in order, by dragging, arrows or numbers."""

import uuid
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from tenancy import tenant
from tenants.models import ConversationRule
from tenants.rule_order import NotEveryRule, set_order
from tenants.rules.sentences import sentence

if TYPE_CHECKING:
    from tenants.admin import PhoneNumberAdmin

MAX_RULES = 400  # each has two fields, and Django reads at most 1,000
CHANGED = (
    "Nothing was saved: rules of this line were added or deleted since you opened this page. This"
    " is the list as it is now."
)


def rule_order_view(
    model_admin: "PhoneNumberAdmin", request: HttpRequest, object_id: str
) -> HttpResponse:
    """GET lists the rules. POST has `rule`, the ids as listed, and the `position` of each."""
    line = model_admin.viewable_row(request, object_id, rights=["tenants.view_conversationrule"])
    may_change = request.user.has_perm("tenants.change_conversationrule")
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        try:
            with tenant(line.pk):
                set_order(wanted_order(request.POST))
        except ValueError:
            messages.error(request, "Nothing was saved: number the rules 1, 2, 3 and so on.")
        except NotEveryRule:
            messages.error(request, CHANGED)
        else:
            model_admin.log_change(request, line, "Changed the order of the rules.")
            messages.success(request, "Order of the rules saved.")
        return redirect(reverse("admin:tenants_phonenumber_rules", args=[quote(line.pk)]))
    with tenant(line.pk):
        found = ConversationRule.objects.order_by("-priority", "created_at", "id")
        rules = list(found[: MAX_RULES + 1])
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Rules of {line.business_name}",
        "opts": model_admin.opts,
        "original": line,
        "line": line,
        "rules": [
            (rule, sentence(conditions=rule.conditions, actions=rule.actions))
            for rule in rules[:MAX_RULES]
        ],
        "may_change": may_change and len(rules) <= MAX_RULES,
        "has_more": len(rules) > MAX_RULES,
    }
    return TemplateResponse(request, "tenants/rule_order.html", context)


def wanted_order(data: QueryDict) -> list[uuid.UUID]:
    """The ids in the order of their numbers.

    A rule that got the number of another one takes its place: it comes before that one when it
    moved up, and after it when it moved down. Raises ValueError where something is not a number.
    """
    ids = [uuid.UUID(text) for text in data.getlist("rule")]
    positions = [int(text) for text in data.getlist("position")]
    numbered = [
        (position, (position > number) - (position < number), number, pk)
        for number, (position, pk) in enumerate(zip(positions, ids, strict=True), start=1)
    ]
    return [pk for *_, pk in sorted(numbered)]
