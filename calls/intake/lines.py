"""Whose event it is, and which tokens may have signed it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from calls.intake.events import Address
from calls.intake.patience import BRIEFLY
from tenants.encryption import decrypt

# One index look-up each on phone_numbers.number, calls.call_sid (and the archive's) and
# telephony_credentials.account_sid, whichever of the three is given.
LINES = """
SELECT found_by, phone_id, number, account_sid, current_token, next_token
FROM app.telephony_lines(%(numbers)s::text[], %(call_sid)s, %(account_sid)s)
"""


@dataclass(frozen=True)
class Signer:
    """Who may have signed an event: a line with its tokens, or the account for no line of ours."""

    phone_id: str | None
    tokens: Sequence[str]
    account_sid: str | None = None


def find_signer(address: Address) -> Signer:
    """The line that an event says it belongs to. Nothing of it may be used before the signature
    proves right with these tokens.

    A line without tokens of its own is signed for by the account (TWILIO_AUTH_TOKEN). Raises
    NoEncryptionKey or UnreadableSecret when the server cannot read the line's tokens.
    """
    with connection.cursor() as cursor:
        by_number = bool(address.numbers)
        cursor.execute(
            BRIEFLY + LINES,
            {
                "numbers": address.numbers,
                "call_sid": None if by_number else address.call_sid,
                "account_sid": None if by_number else address.account_sid,
            },
        )
        cursor.nextset()
        rows = cursor.fetchall()
    if by_number:
        rows = sorted(rows, key=lambda row: address.numbers.index(row[2]))[:1]
    else:
        by_call = [row for row in rows if row[0] == "call"][:1]
        rows = by_call or (rows if len(rows) == 1 else [])
    if not rows:
        return Signer(None, settings.TWILIO_AUTH_TOKEN)
    [(_, phone_id, _, account_sid, *encrypted)] = rows
    own = [decrypt(token) for token in encrypted if token]
    return Signer(phone_id, own or settings.TWILIO_AUTH_TOKEN, account_sid)
