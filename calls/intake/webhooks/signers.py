"""The line of an event, and the tokens that may have signed it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import NamedTuple

from django.conf import settings

from calls.intake.webhooks.deadline import ask
from calls.intake.webhooks.events import Address
from tenants.encryption import NoEncryptionKey, UnreadableSecret, decrypt

# Index look-ups on number_assignments.number and phone_numbers; without a number on calls.call_sid
# (and that of the archive), then on telephony_credentials.account_sid.
LINES = """
SELECT phone_id, account_sid, current_token, next_token, number
FROM app.telephony_lines(%(numbers)s::text[], %(call_sid)s, %(account_sid)s, %(at)s)
"""
MAX_CACHED = 10_000  # lines; some 5 MB


class Credentials(NamedTuple):
    """A line as the database has it, its tokens encrypted."""

    phone_id: str
    account_sid: str | None
    current_token: str | None
    next_token: str | None
    number: str


@dataclass(frozen=True)
class Signer:
    """Who may have signed an event: a line with its tokens, or the account for unknown lines.

    credentials are what the line was found with by a number: storing the event confirms them.
    """

    phone_id: str | None
    tokens: Sequence[str]
    account_sid: str | None = None
    credentials: Credentials | None = None
    number: str | None = None  # the line's, as in the event where it has one


# By the numbers of an address. A cached line may be outdated, so the statement that stores the
# event confirms it; it is dropped when that or the signature fails.
_cached: dict[tuple[str, ...], Credentials] = {}


def signers(address: Address) -> Iterator[Signer]:
    """First the cached line of an address, if any, then the one in the database.

    Nothing of an event may be used before one's tokens match the signature. Raises
    NoEncryptionKey or UnreadableSecret when the server cannot read the line's tokens.
    """
    if (known := _cached.get(tuple(address.numbers))) is not None:
        with suppress(
            NoEncryptionKey, UnreadableSecret
        ):  # of outdated tokens; the database has the current ones
            yield _signer(known, confirmed=True)
    yield find_signer(address)


def find_signer(address: Address) -> Signer:
    """The line named by an event.

    Events of a line without its own tokens are signed by the account (TWILIO_AUTH_TOKEN). Raises
    NoEncryptionKey or UnreadableSecret.
    """
    row = ask(LINES, asdict(address))
    numbers = tuple(address.numbers)
    _cached.pop(numbers, None)
    if row is None:
        return Signer(None, settings.TWILIO_AUTH_TOKEN)
    found = Credentials(*row)
    if numbers:
        if len(_cached) >= MAX_CACHED:
            _cached.clear()
        _cached[numbers] = found
    return _signer(found, confirmed=bool(numbers))


def _signer(found: Credentials, *, confirmed: bool) -> Signer:
    own = [decrypt(token) for token in (found.current_token, found.next_token) if token]
    return Signer(
        found.phone_id,
        own or settings.TWILIO_AUTH_TOKEN,
        found.account_sid,
        found if confirmed else None,
        found.number,
    )
