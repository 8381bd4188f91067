"""The secrets of lines: stored so that the database alone gives none of them away."""

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tenancy import all_tenants, tenant
from tenants.credentials import ApiKey, TelephonyCredential, hash_secret, rotate_telephony_keys
from tenants.encryption import NoEncryptionKey, UnreadableSecret
from tenants.models import PhoneNumber

TOKEN, NEXT = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


@pytest.fixture
def keys(settings: Settings) -> list[str]:
    made = settings.TELEPHONY_KEYS = [Fernet.generate_key().decode()]
    return made


@pytest.fixture
def credential(line: PhoneNumber, keys: list[str]) -> TelephonyCredential:
    with tenant(line.id):
        made = TelephonyCredential(phone=line)
        made.set_tokens(current=TOKEN, upcoming=NEXT)
        made.save()
    return made


def test_token_is_stored_as_ciphertext_only(credential: TelephonyCredential) -> None:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM telephony_credentials AS t")
        [(stored,)] = cursor.fetchall()
    assert TOKEN not in stored
    assert NEXT not in stored
    with all_tenants("test"):
        assert TelephonyCredential.objects.get().tokens == [TOKEN, NEXT]


def test_token_survives_a_new_encryption_key(
    credential: TelephonyCredential, settings: Settings
) -> None:
    old = settings.TELEPHONY_KEYS[0]
    new = Fernet.generate_key().decode()
    settings.TELEPHONY_KEYS = [new, old]
    assert rotate_telephony_keys() == 1
    settings.TELEPHONY_KEYS = [new]
    with all_tenants("test"):
        assert TelephonyCredential.objects.get().tokens == [TOKEN, NEXT]
    settings.TELEPHONY_KEYS = [old]
    with all_tenants("test"), pytest.raises(UnreadableSecret):
        _ = TelephonyCredential.objects.get().tokens


def test_token_is_not_stored_without_an_encryption_key(settings: Settings) -> None:
    settings.TELEPHONY_KEYS = []
    with pytest.raises(NoEncryptionKey):
        TelephonyCredential().set_tokens(current=TOKEN)


def test_token_of_another_line_is_out_of_reach(
    credential: TelephonyCredential, other_line: PhoneNumber
) -> None:
    with tenant(other_line.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM telephony_credentials")
        assert cursor.fetchone() == (0,)


def test_admin_stores_a_token_and_never_shows_it(
    client: Client, superuser: User, line: PhoneNumber, keys: list[str]
) -> None:
    client.force_login(superuser)
    add = "/admin/tenants/telephonycredential/add/"
    refused = client.post(add, {"phone": line.id, "current": ""})
    assert b"Enter the token" in refused.content
    saved = client.post(
        add, {"phone": line.id, "account_sid": "AC" + "1" * 32, "current": TOKEN}, follow=True
    )
    assert saved.status_code == 200
    with all_tenants("test"):
        stored = TelephonyCredential.objects.get()
    assert stored.tokens == [TOKEN]
    page = client.get(f"/admin/tenants/telephonycredential/{stored.pk}/change/")
    assert TOKEN not in page.text
    assert stored.current_token not in page.text
    kept = client.post(
        f"/admin/tenants/telephonycredential/{stored.pk}/change/",
        {"phone": line.id, "account_sid": "", "current": "", "upcoming": NEXT},
    )
    assert kept.status_code == 302
    with all_tenants("test"):
        assert TelephonyCredential.objects.get().tokens == [TOKEN, NEXT]


def test_admin_ends_a_rotation(
    client: Client, superuser: User, credential: TelephonyCredential
) -> None:
    client.force_login(superuser)
    client.post(
        "/admin/tenants/telephonycredential/",
        {"action": "promote_next", "_selected_action": [str(credential.pk)]},
    )
    with all_tenants("test"):
        assert TelephonyCredential.objects.get().tokens == [NEXT]


def test_admin_shows_an_api_key_once(client: Client, superuser: User, line: PhoneNumber) -> None:
    client.force_login(superuser)
    page = client.post(
        "/admin/tenants/apikey/add/",
        {"phone": line.id, "name": "pipeline", "scopes": ["ingest"]},
        follow=True,
    )
    with all_tenants("test"):
        key = ApiKey.objects.get()
    shown = page.text.split(f"{key.prefix}.")[1].split("<")[0].strip()
    assert hash_secret(shown) == key.secret_hash
    again = client.get("/admin/tenants/apikey/").text
    assert shown not in again
    client.post("/admin/tenants/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})
    with all_tenants("test"):
        assert ApiKey.objects.get().revoked_at is not None


def test_command_makes_an_api_key(line: PhoneNumber, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", line.number, name="pipeline", scope=["ingest"], days=30)
    prefix, _, secret = capsys.readouterr().out.strip().partition(".")
    with all_tenants("test"):
        key = ApiKey.objects.get(prefix=prefix)
    assert (key.phone_id, key.scopes) == (line.id, ["ingest"])
    assert key.secret_hash == hash_secret(secret)
    assert key.expires_at is not None
    with pytest.raises(CommandError, match="Line not found: number"):
        call_command("create_api_key", "+19995550000", name="x", scope=["read"])
