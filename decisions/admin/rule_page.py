"""On the page of a rule: what it would have changed, before it is saved."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from decisions.admin import rights
from decisions.admin.settings_preview import preview_response
from decisions.stored_settings import settings_of
from tenancy import tenant
from tenants.admin import ConversationRuleAdmin
from tenants.models import ConversationRule, PhoneNumber
from tenants.rule_form import rule_document

NAME = "tenants_conversationrule_would_change"


class RulePage(ConversationRuleAdmin):
    """ConversationRuleAdmin, with a preview."""

    change_form_template = "decisions/rule_page.html"

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.would_change)
        own = [
            path("would-change/", view, name=f"{NAME}_if_added"),
            path("<path:object_id>/would-change/", view, name=NAME),
        ]
        return [*own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        rule = context.get("original")
        if self._may_preview(request, rule):
            context["preview_address"] = (
                reverse(f"admin:{NAME}", args=[quote(rule.pk)])
                if rule
                else reverse(f"admin:{NAME}_if_added")
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def _may_preview(self, request: HttpRequest, rule: ConversationRule | None) -> bool:
        may_save = (
            self.has_change_permission(request, rule) if rule else self.has_add_permission(request)
        )
        return may_save and request.user.has_perms(rights.PREVIEW)

    @method_decorator(require_POST)
    def would_change(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """Of the form as filled in; the rule of this id, or a new one, as it would be saved."""
        rule: ConversationRule | None = None
        if object_id is not None:
            rule = self.get_object(request, unquote(object_id))
            if rule is None:
                raise Http404
        if not self._may_preview(request, rule):
            raise PermissionDenied
        line = rule.phone if rule else _chosen_line(request)
        title = f"What {line.business_name} would have decided otherwise"
        with tenant(line.pk):
            document = rule_document(request.POST, rule or ConversationRule(phone=line))
            return preview_response(
                request,
                line,
                _draft(line, document),
                rule=document["id"] if document else None,
                context={
                    **self.admin_site.each_context(request),
                    "title": title,
                    "opts": self.opts,
                    "original": rule,
                },
            )


def _chosen_line(request: HttpRequest) -> PhoneNumber:
    """Of a new rule. Raises Http404 for one that is not in scope."""
    key = request.POST.get("phone", "").replace("\x00", "")
    line: PhoneNumber | None = PhoneNumber.objects.filter(pk=key).first()
    if line is None:
        raise Http404
    return line


def _draft(line: PhoneNumber, rule: dict[str, Any] | None) -> dict[str, Any] | None:
    """The rules of the line with this one in its place, or added."""
    stored = settings_of(line.pk)
    if rule is None or stored is None:
        return None
    others = [each for each in stored.document["conversation_rules"] if each["id"] != rule["id"]]
    return {"conversation_rules": [*others, rule]}


admin.site.unregister(ConversationRule)
admin.site.register(ConversationRule, RulePage)
