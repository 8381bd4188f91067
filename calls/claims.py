"""Calls that a line named through the API, of which the provider has said nothing yet.

They are stored under another SID (app.claimed_sid) than the provider's call would be.
"""

from typing import Any

CLAIMED = " claimed by {}"
# provider_sid() for the row {call} of calls or calls_archive.
PROVIDER_SID_OF = "replace({call}.call_sid, app.claimed_sid('', {call}.phone_id), '')"
PROVIDER_SID = PROVIDER_SID_OF.format(call="c")


def claimed_sid(sid: str, line: str) -> str:
    """app.claimed_sid()."""
    return f"{sid}{CLAIMED.format(line)}"


def split_claim(text: str) -> tuple[str, str | None]:
    """The provider's SID and the line that claimed it; the line is None otherwise."""
    sid, claimed, line = text.partition(CLAIMED.format(""))
    return sid, line if claimed else None


def provider_sid(call: Any) -> str:
    """The call's SID as the provider and the line's programs write it."""
    sid: str = call.call_sid
    return sid.removesuffix(CLAIMED.format(call.phone_id))
