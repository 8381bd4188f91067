"""Parameters that were merged into, or split over, others: their signature cannot tell.

Twilio signs the names and values of a form, sorted by name, without any delimiter: a=1&b=2, a=1b2
and a1=b2 have the same signature. A forger who repeats a signed form in another division may thus
hide a parameter. One that says whose call it is must therefore not occur anywhere in the signed
text when it is missing; any other costs its own value alone.
"""

import re
from collections.abc import Iterable, Mapping

# The parameters that follow free text in the signed text, which a forger might append to it.
NEIGHBOURS = (
    "FromCity", "FromCountry", "FromState", "FromZip", "ParentCallSid", "RecordingChannels",
    "RecordingDuration", "RecordingSid", "RecordingSource", "RecordingStartTime",
    "RecordingTrack", "StirVerstat", "ToCity", "ToCountry", "ToState", "ToZip",
)  # fmt: skip
# What a parameter looks like that most events do not have: its bare name may be part of a text.
OPTIONAL = {"ParentCallSid": "CA[0-9a-fA-F]{32}"}


def find_hidden(names: Iterable[str], parameters: Mapping[str, str]) -> str | None:
    """The first of the names that is missing as a parameter and part of another one."""
    for used in names:
        if used in parameters:
            continue
        form = re.compile(re.escape(used) + OPTIONAL.get(used, ""))
        for name, value in parameters.items():
            if form.match(name + value) or form.search(value):
                return used
    return None


def has_another(name: str, parameters: Mapping[str, str]) -> bool:
    """Whether the value of a parameter seems to go on with the parameters that follow it."""
    value = parameters.get(name, "")
    if any(other in value for other in NEIGHBOURS if other not in parameters):
        return True
    # Names are sorted: From is followed by FromCity and the like, also by one of tomorrow.
    return re.search(f"{name}[A-Z]", value) is not None
