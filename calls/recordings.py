"""Recordings of a call, and which addresses may be shown as links. This server never fetches one.

An address is a secret, since whoever has it can listen, and comes from outside, so it may point
anywhere.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models

from calls.holds.triggers import keep_evidence
from tenancy.constraints import ApiRights, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.readonly import ReadOnlyManager


class CallRecording(TenantModel):
    """A recording that the provider reported of a call; a call may have several.

    An archived call holds its recordings in its column `recordings` instead.
    """

    pk = models.CompositePrimaryKey("phone_id", "call_sid", "recording_sid")
    phone = TenantForeignKey(related_name="call_recordings")
    call_sid = models.TextField(db_collation="C")
    recording_sid = models.TextField(db_collation="C")
    url = models.TextField(null=True)
    duration = models.IntegerField(null=True, help_text="Seconds.")
    channels = models.IntegerField(null=True)
    source = models.TextField(null=True, help_text="What made it, such as DialVerb.")
    state = models.TextField(help_text="The provider's own, such as completed or absent.")
    started = models.DateTimeField(null=True)

    write_via = "Only intake writes recordings, through app.keep_call_recording()."
    objects: ClassVar[Any] = ReadOnlyManager()

    class Meta(TenantModel.Meta):
        db_table = "call_recordings"
        verbose_name = "recording"
        ordering = ["started", "recording_sid"]
        constraints = [TenantRLS(tenant_may="SELECT"), ApiRights("SELECT"), TenantKeyConstraint()]
        triggers = keep_evidence(
            "call_recordings",
            [
                "phone_id",
                "call_sid",
                "recording_sid",
                "url",
                "duration",
                "channels",
                "source",
                "started",
            ],
            moving=("state", "app.recording_progress"),
            func="app.refuse_change_of_held_part",
        )

    def __str__(self) -> str:
        return f"recording {self.recording_sid}, {self.state}"

    @property
    def playable_url(self) -> str | None:
        return playable_url(self.url)


def recordings_of(call: Any) -> list[CallRecording]:
    """The recordings of a live or archived call, by when they began."""
    if not hasattr(call, "recordings"):
        key = {"phone_id": call.phone_id, "call_sid": call.call_sid}
        found = list(CallRecording.objects.filter(**key))
    else:
        found = [_archived(call, recording) for recording in call.recordings]
    return sorted(found, key=lambda one: (one.started is None, one.started, one.recording_sid))


def _archived(call: Any, recording: dict[str, Any]) -> CallRecording:
    started = recording["started"] and datetime.fromisoformat(recording["started"])
    key = {"phone_id": call.phone_id, "call_sid": call.call_sid}
    return CallRecording(**key | recording | {"started": started})


def playable_url(url: str | None) -> str | None:
    """The address if it may be a link or a player's source: https, on one of RECORDING_HOSTS."""
    if not url or not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or parts.username is not None or port not in (None, 443):
        return None
    return url if parts.hostname in settings.RECORDING_HOSTS else None


def playable_pattern() -> str:
    """The same as a regular expression of PostgreSQL, for ~* under collation "C"."""
    return _pattern(tuple(settings.RECORDING_HOSTS))


@lru_cache(maxsize=8)
def _pattern(allowed: tuple[str, ...]) -> str:
    # An IPv6 address has brackets in an address, and none as a host.
    hosts = "|".join(re.escape(f"[{host}]" if ":" in host else host) for host in allowed)
    return rf"^https://({hosts})(:(0*443)?)?([/?#][]!-[^-~]*)?$"
