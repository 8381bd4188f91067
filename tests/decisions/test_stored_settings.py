"""Settings are read from their tables as the contract has them, and have a version."""

from datetime import datetime

from decisions.answer import as_document
from decisions.decision import decide
from decisions.settings_document import line_settings
from decisions.stored_settings import settings_of, settings_of_lines
from tenancy import all_tenants, tenant
from tenants.models import ConversationRule, PhoneNumber, TransferPlace, VoiceSettings
from tests.decisions.storing import store_settings
from tests.decisions.vectors import VECTORS

[EXAMPLE] = [vector for vector in VECTORS if vector["id"] == "example"]


def test_rows_are_read_as_they_were_stored(line: PhoneNumber) -> None:
    store_settings(line, EXAMPLE["settings"])
    with tenant(line.pk):
        stored = settings_of(line.pk)
    assert stored is not None
    by_id = {
        table: sorted(rows, key=lambda row: row["id"]) if isinstance(rows, list) else rows
        for table, rows in EXAMPLE["settings"].items()
    }
    expected = line_settings(by_id)
    assert stored.line_settings == expected
    answer = decide(
        stored.line_settings, at=datetime.fromisoformat(EXAMPLE["at"]), facts=EXAMPLE["facts"]
    )
    assert as_document(answer) == EXAMPLE["expected"]


def test_version_follows_each_setting_that_an_answer_shows(line: PhoneNumber) -> None:
    def version() -> str:
        stored = settings_of(line.pk)
        assert stored is not None
        return stored.version

    with tenant(line.pk):
        versions = [version()]
        VoiceSettings.objects.create(phone=line, greeting_message="Good morning")
        versions.append(version())
        place = TransferPlace.objects.create(phone=line, name="Desk", number="+14155550123")
        versions.append(version())
        rule = ConversationRule.objects.create(
            phone=line, rule_type="transfer", actions={"transfer_to": "Desk"}
        )
        versions.append(version())
        assert len(set(versions)) == len(versions)
        rule.delete()
        place.delete()
        VoiceSettings.objects.all().delete()
        assert version() == versions[0]


def test_settings_are_those_of_the_scope_alone(line: PhoneNumber, other_line: PhoneNumber) -> None:
    both = [line.pk, other_line.pk]
    with tenant(line.pk):
        assert settings_of_lines(both).keys() == {line.pk}
        assert settings_of(other_line.pk) is None
    with all_tenants("test"):
        assert settings_of_lines(both).keys() == set(both)
