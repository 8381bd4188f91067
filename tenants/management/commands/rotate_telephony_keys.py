"""Encrypt the stored auth tokens of lines with the newest key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.credentials import rotate_telephony_keys
from tenants.encryption import NoEncryptionKey, UnreadableSecret


class Command(BaseCommand):
    help = (
        "Encrypts the stored auth tokens of all lines with the first of TELEPHONY_KEYS. Afterwards"
        " the older keys can be removed from it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = rotate_telephony_keys()
        except (NoEncryptionKey, UnreadableSecret) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Credentials encrypted with the first key: {count}.")
