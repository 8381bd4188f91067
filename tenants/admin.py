"""The admin of the lines and of how each of them answers."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from backoffice.modeladmin import LineStackedInline, LineTabularInline
from tenancy import active_scope
from tenants import credentials_admin as credentials_admin
from tenants.hours_row_form import HoursRowForm
from tenants.line_admin import ClockedAdmin, LineFilter, LineOwnedAdmin
from tenants.line_middleware import PICKED_LINE
from tenants.line_search import lines_that_match, of_lines_that_match
from tenants.memberships import Membership
from tenants.models import (
    BusinessHours,
    ConversationRule,
    PhoneNumber,
    TransferPlace,
    VoiceSettings,
)
from tenants.number_move import move_number_view
from tenants.opening_hours import Interval
from tenants.opening_hours_page import opening_hours_view
from tenants.rule_form import RuleForm, fieldsets
from tenants.rule_order_page import rule_order_view
from tenants.rules.sentences import sentence
from tenants.voice_form import VoiceForm

# A line with more rules than this edits them one by one, from their own list.
RULES_ON_A_LINE = 30


class VoiceSettingsInline(LineStackedInline):
    model = VoiceSettings
    form = VoiceForm
    max_num = 1
    fields = (
        ("voice_model", "voice_name"),
        ("language", "speech_speed"),
        "greeting_message",
    )
    multiline = ("greeting_message",)


class TransferPlaceInline(LineTabularInline):
    model = TransferPlace
    fields = ("name", "number")
    ordering = ("name",)


class ConversationRuleInline(LineTabularInline):
    """The rules as sentences; each has a page with its own form."""

    model = ConversationRule
    fields = ("rule_type", "priority", "is_active", "summary")
    readonly_fields = ("rule_type", "summary")
    ordering = ("-priority", "created_at", "id")
    show_change_link = True

    @admin.display(description="What it does")
    def summary(self, rule: ConversationRule) -> str:
        return sentence(conditions=rule.conditions, actions=rule.actions)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PhoneNumber)
class PhoneNumberAdmin(ClockedAdmin):
    list_display = ("business_name", "number", "display_name", "timezone", "id", "created_at")
    has_times = True
    ordering = ("business_name", "id")
    sortable_by = ("business_name",)
    search_help_text = "Search by line number, name or id."
    inlines = (
        VoiceSettingsInline,
        TransferPlaceInline,
        ConversationRuleInline,
    )
    fields = ("number", "business_name", "display_name", "timezone", "id")
    delete_confirmation_template = "tenants/delete_line.html"
    hours_template = "tenants/opening_hours.html"
    # Lines are deleted one at a time, on their own page, with all that they own.
    actions = ()

    def search(self, term: str) -> Q:
        return lines_that_match(term)

    def get_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> Any:
        return (*self.fields, "created_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> Any:
        return ("id", "created_at") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: PhoneNumber | None) -> Any:
        left_out: set[type[Any]] = set()
        if obj is None:
            left_out.add(TransferPlaceInline)  # whose numbers are read in the line's country
        elif obj.conversation_rules.order_by()[: RULES_ON_A_LINE + 1].count() > RULES_ON_A_LINE:
            left_out.add(ConversationRuleInline)
        return [inline for inline in self.inlines if inline not in left_out]

    def has_add_permission(self, request: HttpRequest) -> bool:
        # No scope: the logged-out page builds the menu too.
        scope = active_scope()
        return scope is not None and scope.phone_id is None and super().has_add_permission(request)

    def get_urls(self) -> Any:
        move = path(
            "<path:object_id>/move-number/",
            self.admin_site.admin_view(self.move_number),
            name="tenants_phonenumber_move_number",
        )
        hours = path(
            "<path:object_id>/hours/",
            self.admin_site.admin_view(self.opening_hours),
            name="tenants_phonenumber_hours",
        )
        rules = path(
            "<path:object_id>/rules/",
            self.admin_site.admin_view(self.rule_order),
            name="tenants_phonenumber_rules",
        )
        return [move, hours, rules, *super().get_urls()]

    def rule_order(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return rule_order_view(self, request, object_id)

    def opening_hours(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return opening_hours_view(self, request, object_id)

    def around_hours(self, line: PhoneNumber, request: HttpRequest) -> dict[str, Any]:
        """The context of what the page of the opening hours shows beside its form."""
        return {}

    def move_number(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return move_number_view(self, request, object_id)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST":
            line = self.get_object(request, admin.utils.unquote(object_id))
            typed = request.POST.get("number", "").strip()
            may = line is not None and self.has_delete_permission(request, line)
            if may and typed != line.number:
                messages.error(request, "Line not deleted: the number does not match.")
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
    form = VoiceForm
    list_display = ("phone", "voice_name", "voice_model", "language", "speech_speed", "updated_at")
    has_times = True
    row_names = ("line", "lines")
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
    form = RuleForm
    list_display = ("phone", "rule_type", "priority", "state", "summary")
    list_filter = (LineFilter, "rule_type", "is_active")
    ordering = ("phone_id", "-priority", "id")
    readonly_fields = ("summary",)
    fieldsets = [
        (None, {"fields": ["phone", ("rule_type", "priority"), "is_active", "summary"]}),
        *fieldsets(),
    ]

    class Media:
        js: ClassVar = ["tenants/rules.js"]
        css: ClassVar = {"all": ["tenants/rules.css"]}

    @admin.display(description="State")
    def state(self, rule: ConversationRule) -> str:
        return "on" if rule.is_active else "off"

    @admin.display(description="What it does")
    def summary(self, rule: ConversationRule) -> SafeString:
        text = sentence(conditions=rule.conditions, actions=rule.actions)
        return format_html('<span class="rule-summary">{}</span>', text)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        # Users who may only view see the sentence and the stored JSON.
        fields = [
            "phone",
            "rule_type",
            "priority",
            "is_active",
            "summary",
            "conditions",
            "actions",
        ]
        return [(None, {"fields": fields})]

    def get_urls(self) -> Any:
        preview = path(
            "preview/",
            self.admin_site.admin_view(self.preview),
            name="tenants_conversationrule_preview",
        )
        return [preview, *super().get_urls()]

    @method_decorator(require_POST)
    def preview(self, request: HttpRequest) -> HttpResponse:
        """The sentence for the form as filled in; reads and writes no row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form: Any = RuleForm(request.POST)
        del form.fields["phone"]
        form.full_clean()
        conditions, actions = form.parts()
        text = sentence(conditions=conditions, actions=actions)
        return HttpResponse(text, content_type="text/plain; charset=utf-8")


@admin.register(TransferPlace)
class TransferPlaceAdmin(LineOwnedAdmin):
    list_display = ("phone", "name", "number")
    ordering = ("phone_id", "name", "id")
    fields = ("phone", "name", "number")


@admin.register(BusinessHours)
class BusinessHoursAdmin(LineOwnedAdmin):
    list_display = ("phone", "day_of_week", "open_hours", "timezone")
    """The first hours of each weekday, over all lines; all of a line's are on its own page."""

    form = HoursRowForm
    row_names = ("day", "days")
    list_filter = (LineFilter, "day_of_week", "is_closed")
    ordering = ("phone_id", "day_of_week", "id")
    fields = ("phone", "day_of_week", "open_time", "close_time", "timezone", "is_closed")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        may_change = obj is None or self.has_change_permission(request, obj)
        return (*self.fields, "all_day") if may_change else self.fields

    @admin.display(description="Open")
    def open_hours(self, hours: BusinessHours) -> str:
        if hours.is_closed:
            return "closed"
        return str(Interval(hours.open_time, hours.close_time))


@admin.register(Membership)
class MembershipAdmin(LineOwnedAdmin):
    list_display = ("subject", "phone", "role", "created_at")
    has_times = True
    list_filter = (LineFilter, "role")
    ordering = ("phone_id", "subject", "id")
    fields = ("phone", "subject", "role")
    search_help_text = "Search by user id, or line number, name or id."

    def search(self, term: str) -> Q:
        return Q(subject=term) | of_lines_that_match(term)
