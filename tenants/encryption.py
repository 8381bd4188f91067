"""Secrets of lines, encrypted with keys that the database never sees (TELEPHONY_KEYS)."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class NoEncryptionKey(Exception):
    """TELEPHONY_KEYS is empty: set a Fernet key in the environment before storing a secret."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class UnreadableSecret(Exception):
    """A stored secret was encrypted with a key that is no longer in TELEPHONY_KEYS."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def _keyring() -> MultiFernet:
    if not settings.TELEPHONY_KEYS:
        raise NoEncryptionKey
    return MultiFernet([Fernet(key) for key in settings.TELEPHONY_KEYS])


def encrypt(secret: str) -> str:
    return _keyring().encrypt(secret.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Raises NoEncryptionKey or UnreadableSecret."""
    try:
        return _keyring().decrypt(encrypted).decode()
    except InvalidToken:
        raise UnreadableSecret from None


def reencrypt(encrypted: str) -> str:
    """The same secret under the first of TELEPHONY_KEYS."""
    try:
        return _keyring().rotate(encrypted).decode()
    except InvalidToken:
        raise UnreadableSecret from None
