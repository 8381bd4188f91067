"""What was decided for a call, and what was known of it then."""

from datetime import datetime
from typing import Any, ClassVar

import pgtrigger
from django.db import models

from calls.claims import provider_sid
from calls.holds.triggers import HeldTrigger, TruncateNothingHeld
from database.columns import is_object
from database.exact_json import ExactJSONField
from database.triggers import RejectUpdate
from tenancy.constraints import ApiRights, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.readonly import ReadOnlyManager

# Of one SID. An answer with its facts has up to some 50 kB.
MAX_DECISIONS = 200


class CallDecision(TenantModel):
    """An answer that the line's pipeline got for a call, which need not be known yet.

    An archived call holds its decisions in its column `decisions` instead. A row never changes.
    """

    pk = models.CompositePrimaryKey("phone_id", "call_sid", "digest")
    phone = TenantForeignKey(related_name="call_decisions")
    call_sid = models.TextField(
        db_collation="C", help_text="As the provider writes it, also while the call is claimed."
    )
    digest = models.TextField(
        db_collation="C",
        help_text="Of at, facts and settings_version: the same again adds no row.",
    )
    at = models.DateTimeField(help_text="The moment that was decided about.")
    created_at = models.DateTimeField(help_text="When it was decided.")
    facts = ExactJSONField(help_text="What was known of the call.")
    settings_version = models.TextField()
    answer = ExactJSONField(help_text="What was answered: hours, decisions and trace.")

    write_via = "Only the API writes decisions, through app.keep_call_decision()."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "call_decisions"
        verbose_name = "decision"
        ordering = ["created_at", "digest"]
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            ApiRights("SELECT"),
            TenantKeyConstraint(),
            is_object("call_decisions", "facts"),
            is_object("call_decisions", "answer"),
        ]
        triggers = [
            RejectUpdate(
                name="call_decisions_stay",
                condition="true",
                message="A decision is kept as it was made; only a new one is added.",
            ),
            HeldTrigger(
                name="call_decisions_hold_keeps_rows",
                operation=pgtrigger.Delete,
                func="app.refuse_change_of_held_part",
            ),
            TruncateNothingHeld(name="call_decisions_hold_refuses_truncate"),
        ]

    def __str__(self) -> str:
        return f"decision at {self.at:%Y-%m-%d %H:%M:%S} UTC"


def decisions_of(call: Any) -> list[CallDecision]:
    """The decisions of a live or archived call, in the order in which they were made."""
    if not hasattr(call, "decisions"):
        key = {"phone_id": call.phone_id, "call_sid": provider_sid(call)}
        made = list(CallDecision.objects.filter(**key))
    else:
        made = [_archived(call, decision) for decision in call.decisions]
    return sorted(made, key=lambda decision: (decision.created_at, decision.digest))


def _archived(call: Any, decision: dict[str, Any]) -> CallDecision:
    moments = {name: datetime.fromisoformat(decision[name]) for name in ("at", "created_at")}
    return CallDecision(phone_id=call.phone_id, call_sid=provider_sid(call), **decision | moments)
