"""WHO: the lines and how each of them answers."""

import uuid
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from database.columns import (
    EMPTY_OBJECT,
    NOW,
    RANDOM_UUID,
    is_object,
    is_one_of,
    is_timezone,
    validate_timezone,
)
from database.exact_json import ExactJSONField
from database.triggers import RunFunction, StampUpdatedAt
from tenancy.constraints import ApiRights, TenantRLS
from tenancy.models import ScopedModel, TenantForeignKey, TenantModel
from tenancy.scope import PHONE_ID
from tenants.business_hours import BusinessHours as BusinessHours
from tenants.business_hours import BusinessHoursInterval as BusinessHoursInterval
from tenants.business_hours import Weekday as Weekday
from tenants.credentials import ApiKey as ApiKey
from tenants.credentials import TelephonyCredential as TelephonyCredential
from tenants.memberships import Membership as Membership
from tenants.number_assignments import NumberAssignment as NumberAssignment
from tenants.numbers import E164, UNKNOWN_REGION, region_of
from tenants.rules import TYPES, InvalidRule, rule_errors
from tenants.special_days import SpecialDay as SpecialDay
from tenants.special_days import SpecialDayInterval as SpecialDayInterval
from tenants.transfer_places import TransferPlace as TransferPlace
from tenants.transfer_places import TransferTarget, target_of
from tenants.validated import ValidatedModel

# BCP 47 as far as speech services use it: language, script, region; en, en-US, zh-Hant-TW, es-419.
LANGUAGE_TAG = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"


DEFAULT_VOICE = "Alloy"


class RuleType(models.TextChoices):
    GREETING = "greeting"
    ROUTING = "routing"
    TRANSFER = "transfer"
    HOURS = "hours"


def new_phone_id() -> str:
    return f"pn_{uuid.uuid4().hex}"


class PhoneNumber(ScopedModel):
    """A rented phone line: the tenant."""

    line_field = "id"
    unique_over_all_lines = {
        "number": "a number belongs to one line, and whether it is taken is public"
    }

    id = models.TextField(
        primary_key=True,
        default=new_phone_id,
        validators=[
            RegexValidator(PHONE_ID, "Use only letters, digits and + _ : . - (at most 64).")
        ],
    )
    number = models.TextField(
        validators=[
            RegexValidator(E164, "Enter the number in E.164 format, such as +14155550123.")
        ]
    )
    display_name = models.TextField(null=True, blank=True)
    business_name = models.TextField()
    created_at = models.DateTimeField(db_default=NOW, editable=False)
    timezone = models.TextField(default="UTC", db_default="UTC", validators=[validate_timezone])

    class Meta(ScopedModel.Meta):
        db_table = "phone_numbers"
        verbose_name = "line"
        ordering = ["business_name", "id"]
        constraints = [
            TenantRLS(column="id"),
            ApiRights("SELECT, UPDATE (business_name, display_name, timezone)"),
            models.UniqueConstraint(
                fields=["number"],
                name="phone_numbers_number_key",
                violation_error_message="Another line already has this number.",
            ),
            models.CheckConstraint(
                condition=Q(id__regex=PHONE_ID),
                name="phone_numbers_id_form",
                violation_error_message="A line id can only have letters, digits and + _ : . -",
            ),
            models.CheckConstraint(
                condition=Q(number__regex=E164),
                name="phone_numbers_number_e164",
                violation_error_message="Enter the number in E.164 format, such as +14155550123.",
            ),
            is_timezone("phone_numbers"),
        ]
        triggers = [
            RunFunction(
                name="phone_numbers_holder",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="app.record_number_holder",
            ),
            RunFunction(
                name="phone_numbers_new_number",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.number <> NEW.number"),
                func="app.record_number_holder",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.business_name} ({self.number})"

    @property
    def region(self) -> str:
        """The country in whose national form numbers are written at the line, such as GB."""
        region = region_of(self.number)
        home: str = settings.HOME_REGION
        return home if region == UNKNOWN_REGION else region


def default_voice() -> str:
    """That of the table, unless the installation does not have it."""
    names: list[str] = settings.VOICE_NAMES
    return DEFAULT_VOICE if DEFAULT_VOICE in names else names[0]


class VoiceSettings(ValidatedModel):
    """How the AI of a line sounds."""

    checked_fields = ("voice_name",)

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="voice_settings")
    voice_model = models.TextField(default="neural", db_default="neural")
    voice_name = models.TextField(default=default_voice, db_default=DEFAULT_VOICE)
    speech_speed = models.DecimalField(
        max_digits=3, decimal_places=2, default=Decimal("1.0"), db_default=Decimal("1.0")
    )
    language = models.TextField(default="en-US", db_default="en-US")
    greeting_message = models.TextField(null=True, blank=True)
    updated_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(ValidatedModel.Meta):
        db_table = "voice_settings"
        verbose_name = verbose_name_plural = "voice settings"
        ordering = ["phone"]
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights(
                "SELECT, INSERT (phone_id, voice_name), UPDATE (voice_model, voice_name,"
                " speech_speed, language, greeting_message)"
            ),
            models.UniqueConstraint(
                fields=["phone"],
                name="voice_settings_phone_id_key",
                violation_error_message="This line already has voice settings; edit those.",
            ),
            models.CheckConstraint(
                condition=Q(speech_speed__range=(Decimal("0.25"), Decimal("4"))),
                name="voice_settings_speech_speed_range",
                violation_error_message="Speech speed must be from 0.25 to 4; 1 is normal.",
            ),
            models.CheckConstraint(
                condition=Q(language__regex=LANGUAGE_TAG),
                name="voice_settings_language_tag",
                violation_error_message="Enter a language tag such as en-US, de or zh-Hant-TW.",
            ),
        ]
        triggers = [StampUpdatedAt("voice_settings")]

    def clean(self) -> None:
        """A voice that the installation no longer has stays until another is chosen."""
        if self.voice_name in settings.VOICE_NAMES:
            return
        stored = VoiceSettings.objects.filter(pk=self.pk, voice_name=self.voice_name)
        if not stored.exists():
            names = ", ".join(settings.VOICE_NAMES)
            message = f"“{self.voice_name}” is not a voice here. Choose one of: {names}."
            raise ValidationError({"voice_name": message})

    def __str__(self) -> str:
        return f"{self.voice_name} ({self.voice_model}, {self.language})"


class ConversationRule(ValidatedModel):
    """What the AI of a line does (actions) in which situation (conditions)."""

    checked_fields = ("rule_type", "conditions", "actions")

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="conversation_rules")
    rule_type = models.TextField(choices=RuleType.choices)
    conditions = ExactJSONField(default=dict, db_default=EMPTY_OBJECT, blank=True)
    actions = ExactJSONField(default=dict, db_default=EMPTY_OBJECT, blank=True)
    priority = models.IntegerField(default=0, db_default=0)
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(ValidatedModel.Meta):
        db_table = "conversation_rules"
        ordering = ["phone", "-priority", "created_at", "id"]
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights(
                "SELECT, INSERT, DELETE, UPDATE (rule_type, conditions, actions, "
                "priority, is_active)"
            ),
            is_one_of("conversation_rules", "rule_type", RuleType),
            is_object("conversation_rules", "conditions"),
            is_object("conversation_rules", "actions"),
        ]
        indexes = [
            # The rules of a line in the order in which they are tried.
            models.Index(fields=["phone", "-priority"], name="idx_rules_phone_priority"),
        ]
        triggers = [TransferTarget()]

    def clean(self) -> None:
        """The one check of conditions and actions, of which a target is written in one form.

        Raises InvalidRule.
        """
        if self.rule_type not in TYPES:  # which the field and the table refuse
            return
        faults = list(
            rule_errors(self.rule_type, conditions=self.conditions, actions=self.actions)
        )
        if not faults and self.rule_type == RuleType.TRANSFER and (line := self.known_line):
            try:
                target = target_of(self.actions["transfer_to"], line)
            except ValidationError as error:
                faults.append(("actions/transfer_to", str(error.message)))
            else:
                self.actions = {**self.actions, "transfer_to": target}
        if faults:
            raise InvalidRule(faults)

    def __str__(self) -> str:
        return f"{self.rule_type} rule, priority {self.priority}"
