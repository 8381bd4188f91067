"""The provider's words for the status of a call, and ours."""

from calls.models import CallStatus

OUR_STATUS = {
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


def our_status(provider_word: str) -> CallStatus | None:
    """None for a word that Twilio had not documented when this was written."""
    return OUR_STATUS.get(provider_word)
