"""Who may ask: keys and tokens of the login service; and for which line."""

import base64
import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from tenancy import all_tenants
from tenants.api import authentication
from tenants.credentials import ApiKey
from tenants.memberships import Membership
from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.api_client import Api, api_of, make_key
from tests.factories import make_line
from tests.gunicorn import Server, gunicorn

SECRET = "a secret of the login service, at least 32 bytes"
ISSUER = "https://project.supabase.co/auth/v1"
USER = "7f9f1c2e-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def login_service(settings: Settings) -> None:
    settings.SUPABASE_JWT_SECRET = SECRET
    settings.SUPABASE_JWT_ISSUER = ISSUER
    settings.SUPABASE_JWT_AUDIENCE = "authenticated"


def claims(**changes: Any) -> dict[str, Any]:
    fresh = {
        "sub": USER,
        "iss": ISSUER,
        "aud": "authenticated",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    }
    return {name: value for name, value in (fresh | changes).items() if value is not None}


def bearer(key: Any = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return f"Bearer {jwt.encode(claims(**changes), key, algorithm)}"


def join(line: PhoneNumber, role: str = "viewer") -> None:
    with all_tenants("test"):
        Membership.objects.create(phone=line, subject=USER, role=role)


def test_user_of_one_line(line: PhoneNumber, other_line: PhoneNumber) -> None:
    join(line)
    api = Api(bearer())
    assert api.get("/phone-number/").json()["id"] == line.pk
    assert api.patch("/phone-number/", {"display_name": "x"}).status_code == 403


def test_editor_may_write(line: PhoneNumber) -> None:
    join(line, "editor")
    assert Api(bearer()).patch("/phone-number/", {"display_name": "x"}).status_code == 200


def test_user_of_several_lines_picks_one(line: PhoneNumber, other_line: PhoneNumber) -> None:
    join(line)
    join(other_line)
    assert Api(bearer()).get("/phone-number/").status_code == 400
    for own in (line, other_line):
        picked = Api(bearer(), **{"X-Phone-Id": own.pk}).get("/phone-number/")
        assert picked.json()["id"] == own.pk
        claimed = Api(bearer(app_metadata={"phone_id": own.pk})).get("/phone-number/")
        assert claimed.json()["id"] == own.pk


def test_a_line_of_others_is_like_one_that_does_not_exist(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    join(line)
    key = api_of(line)
    for phone_id in (other_line.pk, "pn_nowhere", "no such id!", "é"):
        answers = [
            Api(bearer(), **{"X-Phone-Id": phone_id}).get("/phone-number/"),
            key.get("/phone-number/", headers={"X-Phone-Id": phone_id}),
        ]
        if phone_id.isascii():
            answers.append(Api(bearer(phone_id=phone_id)).get("/phone-number/"))
        for answer in answers:
            assert answer.status_code == 404
            assert answer.json()["detail"] == "Line not found."


def test_credentials_that_end_are_refused_within_a_second(
    line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(line)
    token, key = Api(bearer()), api_of(line)
    for now in (7.0, 7.999):
        monkeypatch.setattr(authentication, "clock", lambda now=now: now)
        assert [api.get("/phone-number/").status_code for api in (token, key)] == [200, 200]
    with all_tenants("test"):
        Membership.objects.all().delete()
        ApiKey.objects.update(revoked_at=timezone.now())
    monkeypatch.setattr(authentication, "clock", lambda: 8.0)
    assert [api.get("/phone-number/").status_code for api in (token, key)] == [404, 401]


def test_revoked_key_is_refused_by_every_process_within_a_second(committed: None) -> None:
    key = f"Api-Key {make_key(make_line())}"
    with gunicorn() as server:
        for _ in range(8):
            assert status_of(server, key) == 200
        with all_tenants("test"):
            ApiKey.objects.update(revoked_at=timezone.now())
        time.sleep(1)
        assert [status_of(server, key) for _ in range(8)] == [401] * 8


def status_of(server: Server, authorization: str) -> int:
    url = f"{server.url}/api/v1/phone-number/"
    request = urllib.request.Request(url, headers={"Authorization": authorization})  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            status: int = answer.status
            return status
    except urllib.error.HTTPError as refused:
        return refused.code


def test_a_role_that_changes_holds_within_a_second(
    line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(line, "editor")
    api = Api(bearer())
    monkeypatch.setattr(authentication, "clock", lambda: 7.5)
    assert api.patch("/phone-number/", {"display_name": "x"}).status_code == 200
    with all_tenants("test"):
        Membership.objects.update(role="viewer")
    monkeypatch.setattr(authentication, "clock", lambda: 8.5)
    assert api.patch("/phone-number/", {"display_name": "y"}).status_code == 403


def test_what_is_not_found_is_not_remembered(
    line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a guess costs a look-up each time, and what is made meanwhile is found at once."""
    monkeypatch.setattr(authentication, "clock", lambda: 7.5)
    guess, token = Api(f"Api-Key {'0' * 12}.{'x' * 43}"), Api(bearer())
    for api, refusal in ((guess, 401), (token, 404)):
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                assert api.get("/phone-number/").status_code == refusal
            assert len(captured) == 1
    join(line)
    assert token.get("/phone-number/").status_code == 200


def test_what_a_process_remembers_is_bounded() -> None:
    for cached in (authentication.find_key, authentication.find_membership):
        assert cached.cache_info().maxsize == authentication.MAX_CACHED


def unsigned() -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().strip("=")

    payload = claims(exp=int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))
    return f"Bearer {part({'alg': 'none', 'typ': 'JWT'})}.{part(payload)}."


@pytest.mark.parametrize(
    "token",
    [
        lambda: bearer(exp=datetime.now(UTC) - timedelta(minutes=1)),
        lambda: bearer(exp=None),
        lambda: bearer(iss="https://evil.example"),
        lambda: bearer(iss=None),
        lambda: bearer(aud="anon"),
        lambda: bearer(aud=None),
        lambda: bearer(sub=None),
        lambda: bearer(nbf=datetime.now(UTC) + timedelta(minutes=5)),
        lambda: bearer(key="another secret of another service, 32 bytes"),
        lambda: bearer(algorithm="HS384"),
        lambda: bearer()[:-4] + "AAAA",
        unsigned,
        lambda: "Bearer",
        lambda: "Bearer x.y.z",
        lambda: "Bearer " + "a" * 5000,
        lambda: f"Bearer {base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.e30",
    ],
)
def test_bad_token_is_401(line: PhoneNumber, token: Any) -> None:
    join(line)
    response = Api(token()).get("/phone-number/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert response["Content-Type"] == "application/problem+json"


def test_tokens_are_refused_where_none_are_configured(
    line: PhoneNumber, settings: Settings
) -> None:
    join(line)
    settings.SUPABASE_JWT_SECRET = ""
    assert Api(bearer()).get("/phone-number/").status_code == 401


@pytest.mark.parametrize("path", ["phone-number/", "calls/", "stats/daily/", "business-hours/"])
def test_session_of_the_admin_opens_nothing_in_the_api(
    line: PhoneNumber, other_line: PhoneNumber, superuser: User, path: str
) -> None:
    """Staff use the admin; so who picked a line there, or is limited to some, is so here."""
    client = Client()
    client.force_login(superuser)
    pick(client, line)
    for phone_id in (line.pk, other_line.pk):
        response = client.get(f"/api/v1/{path}", headers={"X-Phone-Id": phone_id})
        assert response.status_code == 401
