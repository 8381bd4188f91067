"""The admin of the lines and of how each of them answers."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from tenants import credentials_admin as credentials_admin
from tenants.backoffice.display import bullets, list_link
from tenants.backoffice.filters import LineFilter
from tenants.backoffice.modeladmin import (
    BackofficeAdmin,
    LineOwnedAdmin,
    LineStackedInline,
    LineTabularInline,
)
from tenants.backoffice.search import lines_that_match, of_lines_that_match
from tenants.memberships import Membership
from tenants.models import BusinessHours, ConversationRule, PhoneNumber, VoiceSettings
from tenants.scoping import active_scope
from tenants.scoping.middleware import PICKED_LINE

# A line with more rules than this edits them one by one, from their own list.
RULES_ON_A_LINE = 30


class VoiceSettingsInline(LineStackedInline):
    model = VoiceSettings
    max_num = 1
    fields = (
        ("voice_model", "voice_name"),
        ("language", "speech_speed"),
        "greeting_message",
    )
    multiline = ("greeting_message",)


class BusinessHoursInline(LineTabularInline):
    model = BusinessHours
    max_num = 7
    ordering = ("day_of_week",)


class ConversationRuleInline(LineTabularInline):
    model = ConversationRule
    fields = ("rule_type", "priority", "is_active", "conditions", "actions")
    ordering = ("-priority", "created_at", "id")
    show_change_link = True


@admin.register(PhoneNumber)
class PhoneNumberAdmin(BackofficeAdmin):
    list_display = ("business_name", "number", "display_name", "timezone", "id", "created_at")
    ordering = ("business_name", "id")
    sortable_by = ("business_name",)
    search_help_text = "A line's number, name or id."
    inlines = (VoiceSettingsInline, BusinessHoursInline, ConversationRuleInline)
    fields = ("number", "business_name", "display_name", "timezone", "id")
    delete_confirmation_template = "backoffice/delete_line.html"
    # A line goes one at a time, by its own page, with all that it owns.
    actions = ()

    def search(self, term: str) -> Q:
        return lines_that_match(term)

    def get_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> Any:
        return (*self.fields, "created_at", "records") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> Any:
        return ("id", "created_at", "records") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: PhoneNumber | None) -> Any:
        if obj is not None and obj.conversation_rules.order_by()[: RULES_ON_A_LINE + 1].count() > (
            RULES_ON_A_LINE
        ):
            return (VoiceSettingsInline, BusinessHoursInline)
        return self.inlines

    def has_add_permission(self, request: HttpRequest) -> bool:
        # No scope: the page that says good-bye asks for the menu too.
        scope = active_scope()
        return scope is not None and scope.phone_id is None and super().has_add_permission(request)

    @admin.display(description="Records of this line")
    def records(self, line: PhoneNumber) -> SafeString:
        return bullets(
            [
                list_link("calls_call", "Calls", line=line.pk),
                list_link("calls_call", "Calls in progress", line=line.pk, status="live"),
                list_link("calls_callarchive", "Archived calls", line=line.pk),
                list_link("tenants_conversationrule", "Conversation rules", line=line.pk),
                list_link("analytics_dailycallstatsrow", "Daily statistics", line=line.pk),
                list_link("analytics_callanalyticsrow", "Hourly statistics", line=line.pk),
                list_link("analytics_phoneperformance", "Last 30 days", line=line.pk),
            ]
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST":
            line = self.get_object(request, admin.utils.unquote(object_id))
            typed = request.POST.get("number", "").strip()
            may = line is not None and self.has_delete_permission(request, line)
            if may and typed != line.number:
                messages.error(request, "Nothing was deleted: that is not the line's number.")
                return HttpResponseRedirect(request.get_full_path())
        return super().delete_view(request, object_id, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            # Formsets give a new parent its default key again, after its form set the typed one.
            obj.id = form.cleaned_data["id"]
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        if request.session.get(PICKED_LINE) == obj.pk:
            del request.session[PICKED_LINE]


@admin.register(VoiceSettings)
class VoiceSettingsAdmin(LineOwnedAdmin):
    list_display = ("phone", "voice_name", "voice_model", "language", "speech_speed", "updated_at")
    ordering = ("phone_id", "id")
    fields = (
        "phone",
        "voice_model",
        "voice_name",
        "language",
        "speech_speed",
        "greeting_message",
    )
    multiline = ("greeting_message",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*self.fields, "updated_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "updated_at"]


@admin.register(ConversationRule)
class ConversationRuleAdmin(LineOwnedAdmin):
    list_display = ("phone", "rule_type", "priority", "is_active", "created_at")
    list_filter = (LineFilter, "rule_type", "is_active")
    ordering = ("phone_id", "-priority", "id")
    fields = ("phone", "rule_type", "priority", "is_active", "conditions", "actions")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*self.fields, "created_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "created_at"]


@admin.register(BusinessHours)
class BusinessHoursAdmin(LineOwnedAdmin):
    list_display = ("phone", "day_of_week", "open_time", "close_time", "timezone", "is_closed")
    list_filter = (LineFilter, "day_of_week", "is_closed")
    ordering = ("phone_id", "day_of_week", "id")
    fields = ("phone", "day_of_week", "open_time", "close_time", "timezone", "is_closed")


@admin.register(Membership)
class MembershipAdmin(LineOwnedAdmin):
    list_display = ("subject", "phone", "role", "created_at")
    list_filter = (LineFilter, "role")
    ordering = ("phone_id", "subject", "id")
    fields = ("phone", "subject", "role")
    search_help_text = "A user's id, or a line's number, name or id."

    def search(self, term: str) -> Q:
        return Q(subject=term) | of_lines_that_match(term)
