"""Refused callbacks, counted for staff with the probable cause."""

import logging
from dataclasses import asdict

from django.conf import settings
from django.http import HttpRequest

from calls.intake.models import RefusalCause
from calls.intake.webhooks.callback import Callback
from calls.intake.webhooks.deadline import ask
from calls.intake.webhooks.events import Address
from calls.intake.webhooks.signers import Signer
from database.errors import optional_step

logger = logging.getLogger("replytics.intake")

COUNT = """
SELECT app.count_refused_callback(%(numbers)s::text[], %(call_sid)s, %(account_sid)s, %(cause)s,
    %(detail)s, %(at)s)
"""
NOWHERE = Address(numbers=[], call_sid=None, account_sid=None)
UNKNOWN_LINE = (
    "No line has the number, call or account that it names, and TWILIO_AUTH_TOKEN did not sign it."
)
SIGNED_BY_ACCOUNT = (
    "Signed with TWILIO_AUTH_TOKEN, but the line has a telephony credential of its own:"
    " correct or remove that."
)
UNSIGNED = (
    "The request has no X-Twilio-Signature: it does not come from the provider, or a proxy in"
    " front removes the header."
)
SIGNED_BY_OTHER = (
    "Not signed with the auth token that is stored for the line, for any likely form of the URL:"
    " the token was changed at the provider, or the request is forged."
)


def probable_cause(
    callback: Callback, signer: Signer, request: HttpRequest
) -> tuple[RefusalCause, str]:
    """Why a signature does not fit, and the sentence that tells staff what to do."""
    if (url := callback.other_url_signed(signer.tokens, request)) is not None:
        return (
            RefusalCause.WRONG_URL,
            f"Signed for {url}: PUBLIC_URL is {settings.PUBLIC_URL}. Make PUBLIC_URL and the"
            " callback URL at the provider the same.",
        )
    if callback.is_signed(settings.TWILIO_AUTH_TOKEN):
        return RefusalCause.ACCOUNT_TOKEN, SIGNED_BY_ACCOUNT
    if signer.phone_id is None:
        return RefusalCause.UNKNOWN_LINE, UNKNOWN_LINE
    return RefusalCause.WRONG_TOKEN, SIGNED_BY_OTHER


def count_refusal(cause: RefusalCause, detail: str, address: Address = NOWHERE) -> None:
    """Count a refused request. That it cannot be counted changes no answer."""
    with optional_step(logger, "A refused callback was not counted"):
        ask(COUNT, {**asdict(address), "cause": cause, "detail": detail})
