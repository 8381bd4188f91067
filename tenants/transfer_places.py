"""Where the rules of a line transfer to: a number, or a place that the line named."""

import uuid
from typing import TYPE_CHECKING

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from database.columns import NOW, RANDOM_UUID
from database.triggers import RejectRow
from tenancy.constraints import ApiRights
from tenancy.models import TenantForeignKey
from tenants.addresses import Spoilt, cleaned
from tenants.numbers import is_possible, is_written_out, one_form, to_e164
from tenants.validated import ValidatedModel

if TYPE_CHECKING:
    from tenants.models import PhoneNumber

MAX_NAME_LENGTH = 100  # characters
# As long as a number that can be called.
TARGET = r"^\+[1-9][0-9]{6,14}$"
NAMES_SHOWN = 10
OWN_NUMBER = (
    "This is the line's own number, where the AI would answer again. Write the number of a person."
)


class TransferPlace(ValidatedModel):
    """A person or a department to whom a line's rules transfer callers by name."""

    checked_fields = ("name", "number")

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="transfer_places")
    name = models.TextField(help_text="Such as Front desk. Rules name it as it is written here.")
    number = models.TextField(help_text="With its country code, or as it is dialled at the line.")
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(ValidatedModel.Meta):
        db_table = "transfer_places"
        ordering = ["phone", "name"]
        constraints = [
            *ValidatedModel.Meta.constraints,
            ApiRights("SELECT, INSERT, DELETE, UPDATE (name, number)"),
            models.UniqueConstraint(
                "phone",
                Lower("name"),
                name="transfer_places_phone_id_name_key",
                violation_error_message="This line already has a transfer place of that name.",
            ),
            models.CheckConstraint(
                condition=Q(name__regex=rf"^\S(.{{0,{MAX_NAME_LENGTH - 2}}}\S)?$"),
                name="transfer_places_name_form",
                violation_error_message=f"Enter a name of at most {MAX_NAME_LENGTH} characters.",
            ),
            models.CheckConstraint(
                condition=Q(number__regex=TARGET),
                name="transfer_places_number_e164",
                violation_error_message="Enter the number in E.164 format, such as +14155550123.",
            ),
        ]
        triggers = [
            RejectRow(
                name="transfer_places_number_is_not_own",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("number", "phone_id"),  # type: ignore[no-untyped-call]
                query="""
                    EXISTS (SELECT FROM public.phone_numbers
                        WHERE id = NEW.phone_id
                            AND app.one_number(number) = app.one_number(NEW.number))
                """,
                message=OWN_NUMBER,
            ),
            RejectRow(
                name="transfer_places_used_by_rules",
                operation=pgtrigger.Delete | pgtrigger.UpdateOf("name", "phone_id"),  # type: ignore[no-untyped-call]
                # A line takes its places along: it is gone by then.
                query="""
                    (TG_OP = 'DELETE' OR (NEW.phone_id, NEW.name) <> (OLD.phone_id, OLD.name))
                    AND EXISTS (SELECT FROM public.conversation_rules
                        WHERE phone_id = OLD.phone_id AND rule_type = 'transfer'
                            AND actions ->> 'transfer_to' = OLD.name)
                    AND EXISTS (SELECT FROM public.phone_numbers WHERE id = OLD.phone_id)
                """,
                message=(
                    "Rules of this line transfer to this place by its name. Change or delete"
                    " those rules first."
                ),
            ),
        ]

    def clean(self) -> None:
        """Writes the name in one line, and the number in E.164."""
        self.name = " ".join(self.name.split())
        line = self.known_line
        if line is None:
            return
        if read_number(self.name, line):
            raise ValidationError({"name": "This is a number. Write a name, such as Front desk."})
        number = read_number(self.number, line)
        if number is None:
            message = f"{_not_a_number(self.number)} Write it like +14155550123."
            raise ValidationError({"number": message})
        if number == one_form(line.number):
            raise ValidationError({"number": OWN_NUMBER})
        self.number = number

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


CHANGED_TARGET = pgtrigger.UpdateOf("rule_type", "actions", "phone_id")  # type: ignore[no-untyped-call]


class TransferTarget(RejectRow):
    """Of conversation_rules: what a rule transfers to exists, whoever writes the rule.

    The place is locked, so that it cannot go or be renamed before the rule is committed.
    """

    def __init__(self) -> None:
        super().__init__(
            name="conversation_rules_transfer_target",
            operation=pgtrigger.Insert | CHANGED_TARGET,
            condition=pgtrigger.Condition(
                "NEW.rule_type = 'transfer' AND NEW.actions ->> 'transfer_to' IS NOT NULL"
            ),
            query=f"""
                CASE WHEN NEW.actions ->> 'transfer_to' ~ '{TARGET}' THEN
                    EXISTS (SELECT FROM public.phone_numbers
                        WHERE id = NEW.phone_id AND app.one_number(number)
                            = app.one_number(NEW.actions ->> 'transfer_to'))
                ELSE
                    NOT EXISTS (SELECT FROM public.transfer_places
                        WHERE phone_id = NEW.phone_id AND name = NEW.actions ->> 'transfer_to'
                        FOR SHARE)
                END
            """,
            message=(
                "transfer_to must be a number in E.164 format other than the line's own, or the"
                " name of a transfer place of the line."
            ),
        )


def read_number(text: str, line: "PhoneNumber") -> str | None:
    """The E.164 form of a number, which may be in the national form of the line's country.

    None for what is not a whole number.

    An extension is not left out: it would be another person's telephone that rings.
    """
    try:
        text = cleaned(text)
    except Spoilt:
        return None
    number = to_e164(text, line.region)
    if number and is_possible(number) and is_written_out(text, number):
        return number
    return None


def target_of(text: str, line: "PhoneNumber") -> str:
    """What a rule stores as transfer_to: E.164, or a place's name as the line spells it.

    Raises ValidationError, whose one message says what to write.
    """
    number = read_number(text, line)
    if number == one_form(line.number):
        raise ValidationError(OWN_NUMBER)
    if number is not None:
        return number
    places = TransferPlace.objects.filter(phone=line)
    name = Lower(models.Value(" ".join(text.split())))
    found: str | None = (
        places.alias(folded=Lower("name")).filter(folded=name).values_list("name", flat=True)
    ).first()
    if found is None:
        names = list(places.order_by("name").values_list("name", flat=True)[:NAMES_SHOWN])
        known = (
            f"one of this line's transfer places ({', '.join(names)})"
            if names
            else ("the name of a transfer place, of which this line has none yet")
        )
        raise ValidationError(f"{_not_a_number(text)} Write one like +14155550123, or {known}.")
    return found


def _not_a_number(text: str) -> str:
    return f"“{text}” is not a telephone number that can be called."
