"""The content security policy of each part of the product."""

import re

import pytest
from django.test import Client, override_settings
from django.urls import reverse


def policy(client: Client, path: str) -> dict[str, str]:
    header = client.get(path).headers["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in header.split("; "))


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/calls/", "/api/schema/"])
def test_what_is_no_page_may_do_nothing(db: None, client: Client, path: str) -> None:
    assert policy(client, path) == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/admin/nowhere/", 404), ("/admin/calls/call/?created_at__year=x", 400)],
)
def test_a_refusal_has_a_style_sheet_and_runs_nothing(
    back_office: Client, path: str, status: int
) -> None:
    response = back_office.get(path)
    assert response.status_code == status
    assert "Go to the home page" in response.content.decode()
    found = policy(back_office, path)
    assert found["style-src"] == "'self'"
    assert "script-src" not in found


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/calls/call/"])
def test_the_admin_runs_scripts_of_its_own_files_alone(back_office: Client, path: str) -> None:
    found = policy(back_office, path)
    assert found["default-src"] == "'none'"
    assert found["script-src"] == "'self' 'unsafe-eval'"
    assert found["style-src"] == "'self'"
    assert "unsafe-inline" not in found["script-src"]
    assert found["media-src"] == "https://api.twilio.com"


@override_settings(RECORDING_HOSTS=[])
def test_without_recording_hosts_nothing_plays(db: None) -> None:
    assert policy(Client(), "/admin/login/")["media-src"] == "'none'"


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/admin/calls/call/add/", "/api/docs/", "/api/redoc/"]
)
def test_pages_have_no_scripts_inside_them(back_office: Client, path: str) -> None:
    html = back_office.get(path, follow=True).content.decode()
    assert "<script" in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"""\son(click|load|error|submit|change)\s*=""", html)
    if path.startswith(reverse("admin:index")):
        assert "<style" not in html
