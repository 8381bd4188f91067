"""Tokens signed with the keys that the login service publishes, and what its absence does."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from pytest_django import Settings

from api import published_keys
from tenancy import all_tenants
from tenants.memberships import Membership
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of, make_key
from tests.behind_nginx import flood
from tests.factories import make_line
from tests.gunicorn import AS_IN_PRODUCTION, gunicorn
from tests.tenants.test_api_authentication import ISSUER, USER, claims, join

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
SECRET = "c2VjcmV0IHRoYXQgZXZlcnlib2R5IGtub3dzLCBpbmRlZWQ"
KEYS = [
    json.loads(ECAlgorithm.to_jwk(EC.public_key())) | {"kid": "ec", "alg": "ES256"},
    json.loads(RSAAlgorithm.to_jwk(RSA.public_key())) | {"kid": "rsa", "alg": "RS256"},
    json.loads(RSAAlgorithm.to_jwk(RSA.public_key())) | {"kid": "rsa without alg"},
    json.loads(RSAAlgorithm.to_jwk(RSA.public_key())) | {"kid": "rsa as ec", "alg": "ES256"},
    json.loads(OKPAlgorithm.to_jwk(ED.public_key())) | {"kid": "ed"},
    {"kty": "oct", "k": SECRET, "kid": "oct"},
    {"kty": "oct", "k": SECRET, "kid": "oct as rsa", "alg": "RS256"},
]


class LoginService:
    """Publishes KEYS at its url; `status` and `body` are what it answers now."""

    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps({"keys": KEYS}).encode()
        self.fetched = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.fetched += 1
                self.send_response(service.status)
                self.end_headers()
                self.wfile.write(service.body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def login_service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoginService]:
    monkeypatch.setattr(published_keys, "FIRST_FETCH", 30)  # on a slow machine too
    service = LoginService()
    settings.SUPABASE_JWT_ISSUER = ISSUER
    settings.SUPABASE_JWT_AUDIENCE = "authenticated"
    settings.SUPABASE_JWKS_URL = service.url
    yield service
    service.server.shutdown()
    service.server.server_close()


def token(key: Any, algorithm: str, kid: str | None) -> Api:
    headers = {"kid": kid} if kid else {}
    return Api(f"Bearer {jwt.encode(claims(), key, algorithm, headers=headers)}")


def status(api: Api) -> int:
    return int(api.get("/phone-number/").status_code)


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def test_token_of_each_kind_of_key(line: PhoneNumber, login_service: LoginService) -> None:
    join(line)
    for key, algorithm, kid in (
        (EC, "ES256", "ec"),
        (RSA, "RS256", "rsa"),
        (RSA, "RS256", "rsa without alg"),
        (ED, "EdDSA", "ed"),
    ):
        assert status(token(key, algorithm, kid)) == 200, kid
    assert login_service.fetched == 1


def test_token_whose_algorithm_is_not_that_of_its_key_is_401(
    line: PhoneNumber, login_service: LoginService
) -> None:
    join(line)
    stranger = ec.generate_private_key(ec.SECP256R1())
    for key, algorithm, kid in (
        (EC, "ES256", "rsa"),
        (EC, "ES256", "rsa without alg"),
        (EC, "ES256", "rsa as ec"),
        (EC, "ES256", "ed"),
        (RSA, "RS256", "ec"),
        (RSA, "RS256", "ed"),
        (RSA, "RS512", "rsa"),
        (ED, "EdDSA", "rsa"),
        (RSA, "RS256", "oct as rsa"),
        ("secret that everybody knows, indeed", "HS256", "oct"),
        ("secret that everybody knows, indeed", "HS256", "rsa"),
        (stranger, "ES256", "ec"),
        (EC, "ES256", "unknown"),
        (EC, "ES256", None),
    ):
        refused = token(key, algorithm, kid).get("/phone-number/")
        assert refused.status_code == 401, (algorithm, kid)
        assert refused["Content-Type"] == "application/problem+json"
    assert login_service.fetched <= 1


@pytest.mark.parametrize(
    ("answer", "body"),
    [(500, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"keys":[]}'), (200, b'{"keys":[1]}')],
)
def test_token_whose_key_cannot_be_known_is_503(
    line: PhoneNumber, login_service: LoginService, answer: int, body: bytes
) -> None:
    login_service.status, login_service.body = answer, body
    join(line)
    for _ in range(5):
        refused = token(EC, "ES256", "ec").get("/phone-number/")
        assert refused.status_code == 503
        assert refused["Content-Type"] == "application/problem+json"
        assert int(refused["Retry-After"]) > 0
    assert login_service.fetched == 1  # the cool-down begins after a failure too
    assert status(api_of(line)) == 200


def test_keys_are_used_while_the_service_is_away(
    line: PhoneNumber, login_service: LoginService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_keys, "COOL_DOWN", 0.01)
    monkeypatch.setattr(published_keys, "KEYS_MAX_AGE", 0.02)
    join(line)
    assert status(token(EC, "ES256", "ec")) == 200
    login_service.status = 500
    failed = login_service.fetched + 3
    until(lambda: login_service.fetched > failed)
    assert status(token(EC, "ES256", "ec")) == 200
    assert status(token(EC, "ES256", "new")) == 503
    # A key that was added meanwhile is found by itself, and one that is gone is refused.
    login_service.body = json.dumps({"keys": [KEYS[0] | {"kid": "new"}]}).encode()
    login_service.status = 200
    until(lambda: status(token(EC, "ES256", "new")) == 200)
    until(lambda: status(token(EC, "ES256", "ec")) == 401)


@pytest.mark.soak
@pytest.mark.usefixtures("committed")
def test_login_service_that_hangs_stops_nobody() -> None:
    """Sixteen strangers with keys that are unknown, of which two may wait, and for once."""
    line = make_line()
    with all_tenants("test"):
        Membership.objects.create(phone=line, subject=USER, role="viewer")
    key = make_key(line)
    signed = jwt.encode(claims(), EC, "ES256", headers={"kid": "ec"})
    statuses: Counter[int] = Counter()
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        environment = {
            "SUPABASE_JWKS_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/",
            "SUPABASE_JWT_ISSUER": ISSUER,
            "API_REQUESTS_PER_KEY": "1000000",
            "API_REQUESTS_PER_LINE": "1000000",
        }
        with gunicorn(*AS_IN_PRODUCTION, workers=1, **environment) as server:

            def ask(authorization: str) -> int:
                url = f"{server.url}/api/v1/phone-number/"
                headers = {"Authorization": authorization}
                return requests.get(url, headers=headers, timeout=240).status_code

            with flood(16, lambda: statuses.update([ask(f"Bearer {signed}")])):
                until(lambda: statuses[503] > 50)
                assert {ask(f"Api-Key {key}") for _ in range(20)} == {200}
                assert requests.get(f"{server.url}/health/live", timeout=240).status_code == 200
        silent.setblocking(False)
        fetched = 0
        while True:
            try:
                silent.accept()[0].close()
            except BlockingIOError:
                break
            fetched += 1
    assert set(statuses) == {503}
    assert fetched <= 2  # one every 33 seconds
