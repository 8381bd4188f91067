"""A line's own row and its voice over the API: read, changed, never by accident."""

from typing import Any

import pytest

from tenancy import tenant
from tenants.models import PhoneNumber, VoiceSettings
from tests.api_client import Api, api_of


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


def test_line_is_read_with_an_etag(api: Api, line: PhoneNumber) -> None:
    response = api.get("/phone-number/")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert list(body) == [
        "id",
        "number",
        "display_name",
        "business_name",
        "timezone",
        "created_at",
    ]
    assert body["id"] == line.pk
    assert len(body["created_at"]) == len("2024-05-06T12:30:00.123456Z")
    again = api.get("/phone-number/", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_line_is_changed_in_part(api: Api, line: PhoneNumber) -> None:
    response = api.patch("/phone-number/", {"timezone": "Europe/Berlin"})
    assert response.status_code == 200
    assert response.json()["timezone"] == "Europe/Berlin"
    with tenant(line.pk):
        assert PhoneNumber.objects.get().timezone == "Europe/Berlin"


def test_what_was_read_can_be_sent_back(api: Api) -> None:
    for path in ("/phone-number/", "/voice-settings/"):
        body = api.get(path).json()
        assert api.patch(path, body).json().items() >= body.items() - {
            ("updated_at", body.get("updated_at"))
        }


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"timezone": "Mars/Olympus"}, "#/timezone"),
        ({"timezone": "EST5EDT"}, "#/timezone"),
        ({"number": "+14155550999"}, "#/number"),
        ({"id": "pn_garage"}, "#/id"),
        ({"business_name": ""}, "#/business_name"),
        ({"business_name": None}, "#/business_name"),
        ({"business_name": "x" * 201}, "#/business_name"),
        ({"display_name": "a\x00b"}, "#/display_name"),
        ({"display_name": "a\x1bb"}, "#/display_name"),
        ({"nickname": "Bread"}, "#/nickname"),
        ({"a/b~c": 1}, "#/a~1b~0c"),
    ],
)
def test_wrong_fields_are_pointed_at(api: Api, fields: dict[str, Any], pointer: str) -> None:
    response = api.patch("/phone-number/", fields)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_lost_race_is_412(api: Api, line: PhoneNumber) -> None:
    etag = api.get("/phone-number/")["ETag"]
    first = api.patch("/phone-number/", {"display_name": "A"}, headers={"If-Match": etag})
    assert first.status_code == 200
    lost = api.patch("/phone-number/", {"display_name": "B"}, headers={"If-Match": etag})
    assert lost.status_code == 412
    with tenant(line.pk):
        assert PhoneNumber.objects.get().display_name == "A"
    fresh = {"If-Match": first["ETag"]}
    assert api.patch("/phone-number/", {"display_name": "B"}, headers=fresh).status_code == 200
    any_state = {"If-Match": "*"}
    assert api.patch("/phone-number/", {"display_name": "C"}, headers=any_state).status_code == 200


def test_voice_settings_begin_as_the_defaults(api: Api, line: PhoneNumber) -> None:
    body = api.get("/voice-settings/").json()
    assert (body["voice_name"], body["speech_speed"], body["language"]) == ("Alloy", 1, "en-US")
    assert api.get("/voice-settings/").json() == body
    with tenant(line.pk):
        assert VoiceSettings.objects.count() == 1


def test_put_sets_back_what_it_leaves_out(api: Api) -> None:
    api.put("/voice-settings/", {"voice_name": "Nova", "speech_speed": 1.25})
    assert api.get("/voice-settings/").json()["speech_speed"] == 1.25
    changed = api.put("/voice-settings/", {"language": "de"}).json()
    assert (changed["voice_name"], changed["speech_speed"]) == ("Alloy", 1)
    patched = api.patch("/voice-settings/", {"voice_name": "Echo"}).json()
    assert (patched["voice_name"], patched["language"]) == ("Echo", "de")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"speech_speed": 4.01}, "#/speech_speed"),
        ({"speech_speed": 0.2}, "#/speech_speed"),
        ({"speech_speed": "fast"}, "#/speech_speed"),
        ({"language": "English"}, "#/language"),
        ({"language": "en\nUS"}, "#/language"),
        ({"voice_name": ["Nova"]}, "#/voice_name"),
        ({"greeting_message": "x" * 2001}, "#/greeting_message"),
    ],
)
def test_wrong_voice_settings(api: Api, fields: dict[str, Any], pointer: str) -> None:
    response = api.put("/voice-settings/", fields)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_reading_key_changes_nothing(line: PhoneNumber) -> None:
    reader = api_of(line, "read")
    assert reader.get("/phone-number/").status_code == 200
    assert reader.patch("/phone-number/", {"display_name": "x"}).status_code == 403
    assert api_of(line, "ingest").get("/phone-number/").status_code == 403
