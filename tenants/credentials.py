"""The secrets of a line: its Twilio auth tokens, and the keys of its programs."""

import hashlib
import secrets
import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q

from api.permissions import KeyScope
from database.columns import NOW, RANDOM_UUID
from database.triggers import StampUpdatedAt
from tenancy import all_tenants
from tenancy.constraints import ApiRights
from tenancy.models import TenantForeignKey, TenantModel
from tenants.encryption import decrypt, encrypt, reencrypt

ACCOUNT_SID = r"^AC[0-9a-f]{32}$"
SHA256_HEX = r"^[0-9a-f]{64}$"


class TelephonyCredential(TenantModel):
    """The auth tokens that sign a line's callbacks: the current and, in a rotation, the next.

    The columns hold ciphertext; `tokens` decrypts them.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="telephony_credential")
    account_sid = models.TextField(
        null=True,
        blank=True,
        db_collation="C",
        verbose_name="account SID",
        help_text="The Twilio account or subaccount of this line, which identifies its"
        " recordings.",
    )
    current_token = models.TextField(editable=False)
    next_token = models.TextField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=NOW, editable=False)
    updated_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "telephony_credentials"
        ordering = ["phone"]
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["phone"],
                name="telephony_credentials_phone_id_key",
                violation_error_message="This line already has a credential; edit that one.",
            ),
            models.CheckConstraint(
                condition=Q(account_sid__regex=ACCOUNT_SID),
                name="telephony_credentials_account_sid_form",
                violation_error_message="Not an account SID: expected AC followed by 32"
                " hexadecimal digits.",
            ),
        ]
        indexes = [
            # The line of a recording whose call is not known yet.
            models.Index(fields=["account_sid"], name="idx_telephony_account_sid"),
        ]
        triggers = [StampUpdatedAt("telephony_credentials")]

    def __str__(self) -> str:
        return f"telephony credential of {self.phone_id}"

    @property
    def tokens(self) -> list[str]:
        """The tokens in clear. Raises NoEncryptionKey or UnreadableSecret."""
        return [decrypt(token) for token in (self.current_token, self.next_token) if token]

    def set_tokens(self, *, current: str = "", upcoming: str = "") -> None:
        """Encrypt the given tokens; empty ones are left unchanged."""
        if current:
            self.current_token = encrypt(current)
        if upcoming:
            self.next_token = encrypt(upcoming)

    def promote_next(self) -> None:
        """End a rotation: the next token becomes the current one."""
        if self.next_token:
            self.current_token, self.next_token = self.next_token, None


def rotate_telephony_keys() -> int:
    """Encrypt every stored token with the first of TELEPHONY_KEYS; returns how many."""
    with all_tenants("new encryption key for telephony tokens"), transaction.atomic():
        credentials = list(TelephonyCredential.objects.select_for_update())
        for credential in credentials:
            credential.current_token = reencrypt(credential.current_token)
            if credential.next_token:
                credential.next_token = reencrypt(credential.next_token)
            credential.save(update_fields=["current_token", "next_token"])
    return len(credentials)


class ApiKey(TenantModel):
    """The credential of a program of one line: `prefix.secret`, shown once.

    256 random bits need no slow password hash (ASVS 6.5.2): only their SHA-256 is stored.
    """

    unique_over_all_lines = {
        "prefix": "a key is looked up before its line is known; prefixes are random, never chosen",
    }

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="api_keys")
    name = models.TextField(help_text="The program that uses it.")
    prefix = models.TextField(editable=False, db_collation="C")
    secret_hash = models.TextField(editable=False, help_text="SHA-256 of the secret, hex.")
    scopes = ArrayField(models.TextField(choices=KeyScope.choices))
    created_at = models.DateTimeField(db_default=NOW, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")

    class Meta(TenantModel.Meta):
        db_table = "api_keys"
        verbose_name = "API key"
        ordering = ["phone", "created_at"]
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights("SELECT (id, phone_id, last_used_at), UPDATE (last_used_at)"),
            models.UniqueConstraint(fields=["prefix"], name="api_keys_prefix_key"),
            models.CheckConstraint(
                condition=Q(secret_hash__regex=SHA256_HEX), name="api_keys_secret_hash_form"
            ),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=list(KeyScope.values)) & Q(scopes__len__gt=0),
                name="api_keys_scopes_known",
                violation_error_message="Choose at least one of: read, write, ingest.",
            ),
        ]
        indexes = [
            # The keys of a line, oldest first.
            models.Index(fields=["phone", "created_at"], name="idx_api_keys_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def create_api_key(
    *, phone_id: str, name: str, scopes: list[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key of a line, and the text that its program sends, which is not stored."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey(
        phone_id=phone_id,
        name=name,
        prefix=prefix,
        secret_hash=hash_secret(secret),
        scopes=scopes,
        expires_at=expires_at,
    )
    key.full_clean()
    key.save(force_insert=True)
    return key, f"{prefix}.{secret}"
