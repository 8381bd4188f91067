"""An API key opens its line, with its scopes, until it expires or is revoked."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tenancy import all_tenants, tenant
from tenants.credentials import ApiKey
from tenants.models import PhoneNumber
from tests.calls.api.conftest import make_key, put
from tests.calls.intake.callbacks import new_sid


@pytest.mark.parametrize(
    "header",
    [None, "", "Api-Key", "Api-Key x", "Api-Key " + "a" * 12 + "." + "b" * 43, "Bearer x", "é"],
)
def test_request_without_a_known_key_is_refused(line: PhoneNumber, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = Client().put(
        f"/api/v1/calls/by-sid/{new_sid()}/", "{}", "application/json", headers=headers
    )
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert response["Content-Type"] == "application/problem+json"


def test_wrong_secret_is_refused(line: PhoneNumber, key: str) -> None:
    prefix, _, secret = key.partition(".")
    assert put(f"{prefix}.{secret[:-1]}_", new_sid(), {}).status_code == 401
    assert put(key, new_sid(), {}).status_code == 201


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["read", "write"]])
def test_key_without_the_scope_is_forbidden(line: PhoneNumber, scopes: list[str]) -> None:
    response = put(make_key(line, *scopes), new_sid(), {})
    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"


def test_expired_or_revoked_key_is_refused(line: PhoneNumber, key: str) -> None:
    now = timezone.now()
    expired = make_key(line, expires_at=now - timedelta(seconds=1))
    assert put(expired, new_sid(), {}).status_code == 401
    with all_tenants("test"):
        ApiKey.objects.filter(prefix=key.partition(".")[0]).update(revoked_at=now)
    assert put(key, new_sid(), {}).status_code == 401


def test_use_of_a_key_is_noted_to_the_minute(line: PhoneNumber, key: str) -> None:
    with tenant(line.id):
        assert ApiKey.objects.get().last_used_at is None
    put(key, new_sid(), {})
    with tenant(line.id):
        noted = ApiKey.objects.get().last_used_at
        assert noted is not None
    put(key, new_sid(), {})
    with tenant(line.id):
        assert ApiKey.objects.get().last_used_at == noted


def test_other_methods_are_closed(line: PhoneNumber, key: str) -> None:
    client = Client(headers={"Authorization": f"Api-Key {key}"})
    for method in ("get", "post", "patch", "delete", "options"):
        response = getattr(client, method)(f"/api/v1/calls/by-sid/{new_sid()}/")
        assert response.status_code in {403, 405}


def test_hashes_cannot_be_listed_without_a_line(line: PhoneNumber, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM app.find_api_key(%s, '')", [key.partition(".")[0]])
        assert cursor.fetchone() == (0,)
