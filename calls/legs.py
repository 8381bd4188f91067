"""The legs of a call: its further connections, such as the transfer to a person."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from calls.holds.triggers import keep_evidence
from tenancy.constraints import ApiRights, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.readonly import ReadOnlyManager

# By the provider's word for the status of a leg. Without an entry it is not decided yet.
RESULTS = {
    "in-progress": "answered",
    "answered": "answered",
    "completed": "answered",
    "busy": "busy",
    "no-answer": "no answer",
    "canceled": "canceled",
    "failed": "failed",
}


class CallLeg(TenantModel):
    """A child leg of a call (the provider's ParentCallSid, DialCallSid); never a call of its own.

    An archived call holds its legs in its column `legs` instead.
    """

    pk = models.CompositePrimaryKey("phone_id", "call_sid", "leg_sid")
    phone = TenantForeignKey(related_name="call_legs")
    call_sid = models.TextField(db_collation="C", help_text="SID of the call that it belongs to.")
    leg_sid = models.TextField(db_collation="C")
    direction = models.TextField(null=True)
    to = models.TextField(null=True, help_text="Who was called: a number or an address.")
    status = models.TextField(help_text="The provider's own, such as busy or no-answer.")
    duration = models.IntegerField(null=True, help_text="Seconds.")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    write_via = "Only intake writes legs, through app.keep_call_leg()."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "call_legs"
        verbose_name = "leg"
        ordering = ["started_at", "leg_sid"]
        constraints = [TenantRLS(tenant_may="SELECT"), ApiRights("SELECT"), TenantKeyConstraint()]
        indexes = [
            # The call of a leg, for a recording that names the leg.
            models.Index(fields=["leg_sid"], name="idx_call_legs_leg_sid"),
            # The latest dials of a line's transfer target, in whichever form it was dialed.
            models.Index(
                models.F("phone"),
                models.Func("to", function="app.one_number"),
                models.F("started_at").desc(),
                name="idx_call_legs_target",
            ),
        ]
        triggers = keep_evidence(
            "call_legs",
            [
                "phone_id",
                "call_sid",
                "leg_sid",
                "direction",
                '"to"',
                "duration",
                "started_at",
                "ended_at",
            ],
            moving=("status", "app.leg_progress"),
            func="app.refuse_change_of_held_part",
        )

    def __str__(self) -> str:
        return f"leg to {self.to}: {self.result or self.status}"

    @property
    def result(self) -> str | None:
        return RESULTS.get(self.status)


def legs_of(call: Any) -> list[CallLeg]:
    """The legs of a live or archived call, by when they began."""
    if not hasattr(call, "legs"):
        legs = list(CallLeg.objects.filter(phone_id=call.phone_id, call_sid=call.call_sid))
    else:
        legs = [_archived(call, leg) for leg in call.legs]
    return sorted(legs, key=lambda leg: (leg.started_at is None, leg.started_at, leg.leg_sid))


def _archived(call: Any, leg: dict[str, Any]) -> CallLeg:
    moments = {
        name: datetime.fromisoformat(leg[name]) for name in ("started_at", "ended_at") if leg[name]
    }
    return CallLeg(phone_id=call.phone_id, call_sid=call.call_sid, **leg | moments)
