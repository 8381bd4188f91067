"""What is usual at each line, and the lines that miss calls."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from analytics.line_health.silence import State
from analytics.line_health.usual import SLOTS
from backoffice.display import plural
from database.columns import NOW
from tenancy.constraints import TenantKeyConstraint, TenantRLS
from tenancy.models import TenantModel
from tenancy.readonly import ReadOnlyManager

MISSING = [State.WATCHED.value, State.QUIET.value]


def line_as_key(related_name: str) -> Any:
    return models.OneToOneField(
        "tenants.PhoneNumber",
        primary_key=True,
        on_delete=models.DO_NOTHING,  # the database cascades
        db_constraint=False,
        related_name=related_name,
        verbose_name="line",
    )


class UsualCalls(TenantModel):
    """The baseline of one line, made of its own history; analytics.line_health.usual explains it.

    A line with too few calls has none.
    """

    phone = line_as_key("usual_calls")
    rates = ArrayField(
        models.FloatField(),
        help_text="Calls an hour, by the line's weekday * 24 + hour, from Sunday's midnight on.",
    )
    calls_a_week = models.FloatField()
    day_spread = models.FloatField()
    week_spread = models.FloatField()
    burst = models.FloatField()
    learned_at = models.DateTimeField(db_default=NOW)

    write_via = "Only learn_usual_calls writes baselines."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "usual_calls"
        verbose_name = verbose_name_plural = "usual calls"
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
            models.CheckConstraint(
                condition=models.Q(rates__len=SLOTS), name="usual_calls_rates_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.calls_a_week:,.1f} calls a week"


class QuietLine(TenantModel):
    """A line at which calls are missing, until one comes; every other line has no row."""

    phone = line_as_key("silence")
    state = models.TextField(choices=[(name, name) for name in MISSING])
    last_call_at = models.DateTimeField()
    expected = models.FloatField(help_text="Calls that were expected since.")
    surprise = models.FloatField(help_text="-ln of the probability that chance explains it.")
    alarm_at = models.FloatField(help_text="The surprise at which the line counts as quiet.")
    refused = models.BigIntegerField(
        help_text="Callbacks of the line since then that were refused or not applied."
    )
    cause = models.TextField(help_text="Why the latest of them was; empty: there were none.")
    noticed_at = models.DateTimeField(help_text="When three expected calls were missing.")

    write_via = "Only check_lines writes which lines are quiet."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "quiet_lines"
        verbose_name = "quiet line"
        ordering = ["-surprise"]
        constraints = [
            TenantRLS(tenant_may="SELECT"),
            TenantKeyConstraint(),
            models.CheckConstraint(
                condition=models.Q(state__in=MISSING),
                name="quiet_lines_state_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}, {self.expected:.1f} calls expected"


class LineCheck(models.Model):
    """One run of check_lines."""

    shared_because = "one run checks all lines; staff alone may read it"

    finished_at = models.DateTimeField()
    lines = models.IntegerField(help_text="Lines with a baseline.")
    watched = models.IntegerField()
    quiet = models.IntegerField()

    class Meta:
        db_table = "line_checks"
        ordering = ["-id"]
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"{plural(self.quiet, 'quiet line')} at {self.finished_at:%Y-%m-%d %H:%M} UTC"
