"""Maps a provider's status of a call to one of our four."""

from collections.abc import Mapping

from calls.models import CallStatus

# Twilio's REST enum, and the callbacks' initiated and answered.
OUR_STATUS: Mapping[str, CallStatus] = {
    "queued": CallStatus.RINGING,
    "initiated": CallStatus.RINGING,
    "ringing": CallStatus.RINGING,
    "in-progress": CallStatus.ANSWERED,
    "answered": CallStatus.ANSWERED,
    "completed": CallStatus.COMPLETED,
    "busy": CallStatus.FAILED,
    "no-answer": CallStatus.FAILED,
    "canceled": CallStatus.FAILED,
    "failed": CallStatus.FAILED,
}
_SPELLINGS = {"cancelled": "canceled", "noanswer": "no-answer", "inprogress": "in-progress"}


def provider_word(text: str) -> str:
    """The provider's word as its API spells it: no-answer for the console's "No Answer"."""
    word = "-".join(text.lower().replace("_", " ").split())
    return _SPELLINGS.get(word, word)


def our_status(text: str) -> CallStatus | None:
    """The status that a provider's word stands for, or None for a word that is not known."""
    return OUR_STATUS.get(text) or OUR_STATUS.get(provider_word(text))
