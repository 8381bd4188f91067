"""What each service answers, with which login, and that none of them stops another."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.db import connections
from django.urls import Resolver404, resolve
from prometheus_client.parser import text_string_to_metric_families

from calls.models import Call, CallEvent
from local.embedded import ROOT
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.api_client import make_key
from tests.behind_nginx import Services, all_services, flood, half_sent, until
from tests.calls.intake.callbacks import (
    RECORDING,
    TOKEN,
    VOICE,
    new_sid,
    recording_event,
    sign,
    voice_event,
)
from tests.factories import make_line
from tests.outages import locked

# One worker runs them all, and prepares for them once.
pytestmark = pytest.mark.xdist_group("services")

KEY = "a-long-and-random-key-for-these-tests-0123456789-abcdefgh"
SERVICE_OF = {
    "/": "admin",
    "/admin/": "admin",
    "/admin/login/": "admin",
    "/admin/desk/review/": "admin",
    "/admin/database/": "admin",
    "/metrics": "admin",
    "/favicon.ico": "admin",
    "/api/v1/calls/": "api",
    "/api/schema/": "api",
    "/api/docs/": "api",
    VOICE: "intake",
    RECORDING: "intake",
}


def is_answered(path: str, service: str) -> bool:
    try:
        resolve(path, urlconf=f"replytics.urls.{service}")
    except Resolver404:
        return False
    # The admin answers whatever is below it, by a 404 of its own.
    return True


@pytest.mark.parametrize("path", SERVICE_OF)
def test_an_address_is_of_one_service(path: str) -> None:
    answering = {name for name in ("admin", "api", "intake") if is_answered(path, name)}
    assert answering == {SERVICE_OF[path]}
    assert is_answered(path, "all")


@pytest.mark.parametrize("service", ["admin", "api", "intake", "all"])
def test_each_service_tells_its_health(service: str) -> None:
    assert is_answered("/health/live", service)
    assert is_answered("/health/ready", service)


SETTINGS = """
import json
from replytics import settings as s
print(json.dumps([s.DATABASES["default"]["USER"], sorted(s.DATABASES), s.MIDDLEWARE]))
"""
URLS = {
    "DATABASE_URL": "postgres://replytics_web:a@127.0.0.1:1/replytics",
    "API_DATABASE_URL": "postgres://replytics_api:a@127.0.0.1:1/replytics",
    "INTAKE_DATABASE_URL": "postgres://replytics_intake:a@127.0.0.1:1/replytics",
    "OWNER_DATABASE_URL": "postgres://replytics_owner:a@127.0.0.1:1/replytics",
}


def settings_of(service: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SETTINGS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | URLS | {"SECRET_KEY": KEY, "SERVICE": service} | variables,
    )


@pytest.mark.parametrize(
    ("service", "login", "databases"),
    [
        ("admin", "replytics_web", ["default", "owner"]),
        ("worker", "replytics_web", ["default", "owner"]),
        ("all", "replytics_web", ["default", "owner"]),
        ("api", "replytics_api", ["default"]),
        ("intake", "replytics_intake", ["default"]),
    ],
)
def test_each_service_has_its_login(service: str, login: str, databases: list[str]) -> None:
    done = settings_of(service)
    assert json.loads(done.stdout)[:2] == [login, databases], done.stderr


@pytest.mark.parametrize("service", ["api", "intake"])
def test_what_programs_use_keeps_no_sessions(service: str) -> None:
    middleware = json.loads(settings_of(service).stdout)[2]
    assert not [name for name in middleware if "sessions" in name or "auth" in name]
    assert len(middleware) <= 8


@pytest.mark.parametrize("service", ["api", "intake"])
def test_a_service_does_not_take_another_login_for_its_own(service: str) -> None:
    name = f"{service.upper()}_DATABASE_URL"
    done = settings_of(service, **{name: ""})
    assert f"{name} is not set; write the URL of the login replytics_{service}" in done.stderr


def test_an_unknown_service_is_refused() -> None:
    assert "SERVICE is 'web'; write one of admin, api" in settings_of("web").stderr


@pytest.fixture(scope="module")
def running_services(django_db_setup: None, django_db_blocker: Any) -> Iterator[Services]:
    with django_db_blocker.unblock(), all_services(TWILIO_AUTH_TOKEN=TOKEN) as served:
        yield served


@pytest.fixture
def served(running_services: Services, committed: None, settings: Any) -> Services:
    settings.PUBLIC_URL = running_services.url
    return running_services


@pytest.fixture
def line(served: Services) -> PhoneNumber:
    return make_line(id="pn_bakery", number="+14155550101", business_name="Bakery")


def send(served: Services, event: dict[str, str], path: str = VOICE) -> int:
    headers = {"X-Twilio-Signature": sign(path, event)}
    return requests.post(served.url + path, event, headers=headers, timeout=240).status_code


def read_calls(served: Services, key: str) -> int:
    return served.get("/api/v1/calls/", headers={"Authorization": f"Api-Key {key}"}).status_code


def events_of(sid: str) -> list[tuple[str, str | None]]:
    """Outcome and line of each, as they came."""
    with all_tenants("test"):
        found = CallEvent.objects.filter(call_sid=sid).order_by("id")
        return list(found.values_list("outcome", "phone_id"))


def test_callbacks_are_stored_with_the_login_of_the_intake(
    served: Services, line: PhoneNumber
) -> None:
    other = make_line(id="pn_garage", number="+14155550202", business_name="Garage")
    ours, unknown, waiting, foreign = (new_sid() for _ in range(4))
    assert send(served, voice_event(ours, "ringing")) == 204
    assert send(served, voice_event(ours, "completed", CallDuration="12")) == 204
    assert send(served, recording_event(ours, "completed"), RECORDING) == 204
    assert send(served, voice_event(unknown, "ringing", To="+14155550999", Called=None)) == 204
    assert send(served, recording_event(waiting, "completed"), RECORDING) == 204
    assert send(served, voice_event(foreign, "ringing", To=other.number, Called=None)) == 204
    assert send(served, voice_event(foreign, "completed")) == 204
    assert send(served, voice_event("CA-none", "ringing")) == 400
    with all_tenants("test"):
        calls = dict(Call.objects.values_list("call_sid", "status"))
        call = Call.objects.get(call_sid=ours)
        assert (call.phone_id, call.duration) == (line.pk, 12)
        assert call.recording_url
        assert Call.objects.get(call_sid=foreign).phone_id == other.pk
        outcomes = list(CallEvent.objects.order_by("id").values_list("outcome", flat=True))
    assert calls.keys() == {ours, foreign}
    assert events_of(unknown) == [("unknown_line", None)]
    assert events_of(waiting) == [("waiting", None)]
    assert events_of(foreign) == [("applied", other.pk), ("conflict", line.pk)]
    assert "malformed" in outcomes
    # Its call comes: the recording that waited is applied to it.
    assert send(served, voice_event(waiting, "completed")) == 204
    assert events_of(waiting) == [("applied", line.pk), ("applied", line.pk)]
    with all_tenants("test"):
        assert Call.objects.get(call_sid=waiting).recording_url


def test_a_blocked_admin_stops_neither_the_api_nor_callbacks(
    served: Services, line: PhoneNumber
) -> None:
    """All threads of the admin wait for a lock, or hash passwords."""
    key, token = make_key(line), "t" * 32
    form = {"username": "root", "password": "wrong", "csrfmiddlewaretoken": token}

    def log_in() -> int:
        return requests.post(
            f"{served.url}/admin/login/", form, cookies={"csrftoken": token}, timeout=240
        ).status_code

    with locked("LOCK TABLE auth_user IN ACCESS EXCLUSIVE MODE"), flood(24, log_in):
        until(lambda: waiting_sessions("auth_user") >= 4)  # as many as nginx lets log in
        assert read_calls(served, key) == 200
        assert send(served, voice_event(new_sid(), "ringing")) == 204
        assert served.get("/health/live").status_code == 200
        assert waiting_sessions("auth_user") <= 4


def test_a_blocked_api_stops_neither_health_nor_the_admin(
    served: Services, line: PhoneNumber
) -> None:
    key = make_key(line)
    with (
        locked("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"),
        flood(24, lambda: read_calls(served, key)),
    ):
        until(lambda: waiting_sessions("calls") >= 8)  # all of its threads
        assert served.get("/health/live").status_code == 200
        assert served.get("/admin/login/").status_code == 200


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/calls/", VOICE])
def test_half_sent_requests_stop_nobody(served: Services, line: PhoneNumber, path: str) -> None:
    with half_sent(served.port, 48, path):
        assert served.get("/health/live").status_code == 200
        assert read_calls(served, make_key(line)) == 200
        assert send(served, voice_event(new_sid(), "ringing")) == 204


def waiting_sessions(table: str) -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks"
            " WHERE NOT granted AND relation = %s::regclass",
            [table],
        )
        [count] = cursor.fetchone()
    return int(count)


def test_a_client_cannot_say_who_it_is(served: Services) -> None:
    """nginx overwrites what it says of the client, and metrics are for this machine alone."""
    assert served.get("/metrics").status_code == 200
    assert served.get("/metrics", headers={"X-Real-IP": "10.0.0.7"}).status_code == 200
    assert served.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    secure = served.get("/admin/login/", headers={"X-Forwarded-Proto": "https"})
    assert "secure" not in secure.headers["Set-Cookie"].lower()
    # A forged scheme would change which origin a form may have.
    forged = requests.post(
        f"{served.url}/admin/login/",
        {"csrfmiddlewaretoken": "t" * 32},
        cookies={"csrftoken": "t" * 32},
        headers={"X-Forwarded-Proto": "https", "Origin": served.url.replace("http:", "https:")},
        timeout=240,
    )
    assert forged.status_code == 403


def test_metrics_tell_of_every_service(served: Services, line: PhoneNumber) -> None:
    assert read_calls(served, make_key(line)) == 200
    assert send(served, voice_event(new_sid(), "ringing")) == 204
    routes = {
        sample.labels["route"]
        for family in text_string_to_metric_families(served.get("/metrics").text)
        for sample in family.samples
        if "route" in sample.labels
    }
    assert {"/api/v1/calls/", VOICE} <= routes


def test_static_files_come_from_nginx(served: Services) -> None:
    page = served.get("/admin/login/").text
    [path] = {
        word
        for word in page.split('"')
        if word.startswith("/static/backoffice/backoffice.") and word.endswith(".css")
    }
    answer = served.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/css"
    assert "max-age=315360000" in answer.headers["Cache-Control"]
    for outside in ("/static/../.env", "/static/..%2f.env", "/static../.env"):
        assert served.get(outside).status_code in {400, 404}


def test_a_service_that_is_away_is_a_503(served: Services) -> None:
    """Its socket file is there, and nobody listens: as between its end and its new start."""
    [api] = [process for process in served.processes if process.name == "api service"]
    api.terminate()
    until(lambda: served.get("/api/v1/calls/").status_code == 503)
    answer = served.get("/api/v1/calls/")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"
    assert served.get("/health/live").status_code == 200
    until(lambda: api.exit_code() is not None)
    api.start()
    until(lambda: served.get("/api/v1/calls/").status_code == 401)
