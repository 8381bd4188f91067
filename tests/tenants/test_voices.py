"""Voices come from the installation's list; a stored one that left the list stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings

from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber, VoiceSettings
from tests.admin_client import form_errors
from tests.api_client import Api, api_of
from tests.schema.rawsql import insert

VOICES = "/admin/tenants/voicesettings/"
REFUSED = "“Nova 2” is not a voice here. Choose one of: Nova, Echo, Alloy."


@pytest.fixture(autouse=True)
def voices(settings: Settings) -> None:
    settings.VOICE_NAMES = ["Nova", "Echo", "Alloy"]


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line)


@pytest.fixture
def former(line: PhoneNumber) -> VoiceSettings:
    """Chosen when the installation had the voice."""
    with all_tenants("test data"):
        row = insert("voice_settings", phone_id=line.pk, voice_name="Old Voice")
        settings: VoiceSettings = VoiceSettings.objects.get(pk=row["id"])
    return settings


def voice() -> str:
    with all_tenants("test"):
        return str(VoiceSettings.objects.get().voice_name)


def save(row: VoiceSettings) -> None:
    row.voice_name = "Nova 2"
    row.save()


def bulk_update(row: VoiceSettings) -> None:
    row.voice_name = "Nova 2"
    VoiceSettings.objects.bulk_update([row], ["voice_name"])


WRITERS: dict[str, Callable[[VoiceSettings], object]] = {
    "save": save,
    "update": lambda row: VoiceSettings.objects.update(voice_name="Nova 2"),
    "bulk_update": bulk_update,
    "bulk_create": lambda row: VoiceSettings.objects.bulk_create(
        [VoiceSettings(phone_id=row.phone_id, voice_name="Nova 2")],
        update_conflicts=True,
        unique_fields=["phone"],
        update_fields=["voice_name"],
    ),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_no_way_stores_a_voice_that_is_not_in_the_list(former: VoiceSettings, writer: str) -> None:
    refused = pytest.raises(ValidationError, match="Choose one of: Nova, Echo")
    with all_tenants("test"), refused, transaction.atomic():
        WRITERS[writer](former)
    assert voice() == "Old Voice"


def test_a_former_voice_stays_beside_other_changes(former: VoiceSettings) -> None:
    with all_tenants("test"):
        former.language = "de"
        former.save()
        VoiceSettings.objects.update(voice_name="Old Voice", language="fr")
        former.refresh_from_db()
    assert (former.voice_name, former.language) == ("Old Voice", "fr")


def test_the_api_names_the_voices_that_there_are(api: Api) -> None:
    for method in ("PUT", "PATCH"):
        answer = api.request(method, "/voice-settings/", {"voice_name": "Nova 2"})
        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"pointer": "#/voice_name", "detail": REFUSED}]
    assert api.patch("/voice-settings/", {"voice_name": "Echo"}).json()["voice_name"] == "Echo"


def test_the_api_keeps_a_former_voice_until_another_is_chosen(
    api: Api, former: VoiceSettings
) -> None:
    read = api.get("/voice-settings/").json()
    assert read["voice_name"] == "Old Voice"
    changed = api.patch("/voice-settings/", {"language": "de"}).json()
    assert (changed["voice_name"], changed["language"]) == ("Old Voice", "de")
    sent = {name: changed[name] for name in ("voice_name", "voice_model", "language")}
    assert api.put("/voice-settings/", sent).json()["voice_name"] == "Old Voice"
    assert api.put("/voice-settings/", {}).json()["voice_name"] == "Alloy"
    assert api.patch("/voice-settings/", {"voice_name": "Old Voice"}).status_code == 400


@pytest.mark.parametrize(
    ("names", "first"), [(["Nova", "Echo"], "Nova"), (["Nova", "Alloy"], "Alloy")]
)
def test_a_line_that_chose_no_voice_has_one_of_the_list(
    api: Api, line: PhoneNumber, settings: Settings, names: list[str], first: str
) -> None:
    settings.VOICE_NAMES = names
    assert api.get("/voice-settings/").json()["voice_name"] == first
    with tenant(line.pk):
        VoiceSettings.objects.all().delete()
        assert VoiceSettings.objects.create().voice_name == first


def shown(client: Client, url: str) -> Any:
    page: Any = client.get(url)
    return page.context_data["adminform"].form.fields["voice_name"].choices


def form(**changes: Any) -> dict[str, Any]:
    return {"voice_model": "neural", "language": "de", "speech_speed": "1"} | changes


def test_the_admin_offers_the_voices(back_office: Client, line: PhoneNumber) -> None:
    names = [name for name, _ in shown(back_office, f"{VOICES}add/")]
    assert names == ["Nova", "Echo", "Alloy"]
    sent = form(phone=line.pk, voice_name="Nova 2")
    assert "Select a valid choice" in form_errors(back_office.post(f"{VOICES}add/", sent))
    assert back_office.post(f"{VOICES}add/", sent | {"voice_name": "Echo"}).status_code == 302
    assert voice() == "Echo"


def test_the_admin_shows_a_former_voice_and_keeps_it(
    back_office: Client, former: VoiceSettings
) -> None:
    url = f"{VOICES}{former.pk}/change/"
    assert shown(back_office, url)[-1] == ("Old Voice", "Old Voice (no longer offered)")
    assert "Old Voice (no longer offered)" in back_office.get(url).content.decode()
    assert back_office.post(url, form(voice_name="Old Voice")).status_code == 302
    assert voice() == "Old Voice"
    assert back_office.post(url, form(voice_name="Nova")).status_code == 302
    assert voice() == "Nova"
    assert "Select a valid choice" in form_errors(
        back_office.post(url, form(voice_name="Old Voice"))
    )


def test_the_page_of_a_line_shows_a_former_voice(
    back_office: Client, former: VoiceSettings
) -> None:
    page = back_office.get(f"/admin/tenants/phonenumber/{former.phone_id}/change/")
    assert "Old Voice (no longer offered)" in page.content.decode()


def test_who_may_only_view_sees_the_voice(support_agent: User, former: VoiceSettings) -> None:
    support_agent.user_permissions.add(Permission.objects.get(codename="view_voicesettings"))
    client = Client()
    client.force_login(support_agent)
    page = client.get(f"{VOICES}{former.pk}/change/")
    assert "Old Voice" in page.content.decode()


def test_the_table_keeps_its_default(line: PhoneNumber) -> None:
    """The schema document's, which SQL may still write."""
    with tenant(line.pk), connection.cursor() as cursor:
        cursor.execute("INSERT INTO voice_settings (phone_id) VALUES (%s)", [line.pk])
    assert voice() == "Alloy"
