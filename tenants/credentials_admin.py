"""Admin of the secrets of a line, which are never shown again once stored."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminPasswordWidget

from api.permissions import KeyScope
from backoffice.deletion import delete_selected
from backoffice.display import plural
from tenants.credentials import ApiKey, TelephonyCredential, create_api_key
from tenants.line_admin import LineFilter, LineOwnedAdmin
from tenants.line_search import of_lines_that_match

_IS_TOKEN = RegexValidator(r"^[\x21-\x7e]{16,256}$", "16 to 256 characters without spaces.")


class TokenField(forms.CharField):
    """A secret to be entered, never rendered back."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminPasswordWidget({"autocomplete": "off"})
        super().__init__(required=False, widget=widget, validators=[_IS_TOKEN], **options)


class TelephonyCredentialForm(forms.ModelForm):  # type: ignore[type-arg]
    current = TokenField(label="Auth token", help_text="Leave empty to keep the stored token.")
    upcoming = TokenField(
        label="Next auth token",
        help_text="For a rotation: callbacks signed with either token are accepted."
        " Leave empty to keep the stored token.",
    )

    class Meta:
        model = TelephonyCredential
        fields = ["phone", "account_sid"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["account_sid"] = data.get("account_sid") or None
        if not settings.TELEPHONY_KEYS:
            raise ValidationError(
                "TELEPHONY_KEYS is not set, so tokens cannot be encrypted. Set it and restart."
            )
        if not self.instance.current_token and not data.get("current"):
            self.add_error("current", "Enter the token that signs this line's callbacks.")
        self.instance.set_tokens(
            current=data.get("current") or "", upcoming=data.get("upcoming") or ""
        )
        return data


@admin.register(TelephonyCredential)
class TelephonyCredentialAdmin(LineOwnedAdmin):
    form = TelephonyCredentialForm
    list_display = ("phone", "account_sid", "in_rotation", "updated_at")
    has_times = True
    ordering = ("phone_id", "id")
    search_help_text = "Search by line number, name or id, or by account SID."
    actions = ("promote_next", delete_selected)

    def search(self, term: str) -> Q:
        return Q(account_sid=term) | of_lines_that_match(term)

    @admin.display(description="In rotation")
    def in_rotation(self, credential: TelephonyCredential) -> str:
        return "yes" if credential.next_token is not None else "no"

    @admin.action(
        description="End rotation (keep only the next token)",
        permissions=["change"],
    )
    def promote_next(self, request: HttpRequest, queryset: QuerySet[TelephonyCredential]) -> None:
        ready = queryset.filter(next_token__isnull=False)
        for credential in ready:
            credential.promote_next()
            credential.save(update_fields=["current_token", "next_token"])
        messages.success(request, f"{plural(len(ready), 'rotation')} ended.")


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=KeyScope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = ApiKey
        fields = ["phone", "name", "scopes", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(LineOwnedAdmin):
    form = ApiKeyForm
    list_display = (
        "name", "phone", "prefix", "scopes", "expires_at", "revoked_at", "last_used_at",
    )  # fmt: skip
    has_times = True
    list_filter = (LineFilter, "revoked_at", "expires_at")
    ordering = ("phone_id", "created_at", "id")
    search_help_text = "Search by line number, name or id, or by key name or prefix."
    actions = ("revoke", delete_selected)

    def search(self, term: str) -> Q:
        return Q(name__icontains=term) | Q(prefix=term) | of_lines_that_match(term)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Keys are created and revoked, never edited."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        made, key = create_api_key(
            phone_id=obj.phone.id, name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at
        )
        obj.pk = made.pk
        messages.warning(request, f"Copy the key now; it will not be shown again: {key}")

    @admin.action(description="Revoke (takes effect within a second)", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        messages.success(request, f"{plural(count, 'key')} revoked.")
