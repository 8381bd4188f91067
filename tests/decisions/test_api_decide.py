"""POST decide/: what to do now, kept for the call that it is asked for."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from calls.decisions import MAX_DECISIONS, CallDecision, decisions_of
from calls.models import Call, CallArchive
from decisions.models import DecisionSettings
from decisions.stored_settings import settings_of
from tenancy import all_tenants, tenant
from tenants.models import (
    BusinessHours,
    ConversationRule,
    PhoneNumber,
    TransferPlace,
    VoiceSettings,
    default_voice,
)
from tests.api_client import Api, api_of
from tests.calls.archive import query
from tests.decisions.storing import store_settings
from tests.decisions.vectors import VECTORS
from tests.factories import archive, make_call, store_rule

SID = "CA0123456789abcdef0123456789abcdef"
CALLER = "+493012345678"
MORNING = "2026-03-02T09:00:00Z"
[EXAMPLE] = [vector for vector in VECTORS if vector["id"] == "example"]
VOICE = {
    "voice_model": "neural",
    "voice_name": default_voice(),
    "speech_speed": 1,
    "language": "en-US",
    "greeting_message": None,
}


@pytest.fixture
def api(line: PhoneNumber) -> Api:
    return api_of(line, "read", "ingest")


def ask(api: Api, **question: Any) -> Any:
    answer = api.post("/decide/", {"at": MORNING} | question)
    assert answer.status_code == 200, answer.content
    return answer.json()


def kept(sid: str = SID) -> list[dict[str, Any]]:
    with all_tenants("test"):
        return [one.facts for one in CallDecision.objects.filter(call_sid=sid)]


def rule(line: PhoneNumber, rule_type: str, actions: dict[str, Any], **columns: Any) -> str:
    with tenant(line.pk):
        made = ConversationRule.objects.create(
            phone=line, rule_type=rule_type, actions=actions, **columns
        )
    return str(made.pk)


def test_the_example_of_the_contract(line: PhoneNumber, api: Api) -> None:
    store_settings(line, EXAMPLE["settings"])
    answer = ask(api, at=EXAMPLE["at"], facts=EXAMPLE["facts"] | {"first_time_caller": False})
    expected = EXAMPLE["expected"]
    assert answer["hours"] == expected["hours"]
    assert answer["trace"] == expected["trace"]
    for rule_type, decision in answer["decisions"].items():
        assert decision.items() >= expected["decisions"][rule_type].items()
        assert (decision["actions"] is None) == (decision["winner"] is None)
    assert answer["at"] == "2026-12-24T11:30:00.000000Z"
    with tenant(line.pk):
        stored = settings_of(line.pk)
    assert stored is not None
    assert answer["settings_version"] == stored.version


def test_without_settings_nothing_is_decided_and_the_voice_is_the_default(api: Api) -> None:
    answer = api.post("/decide/", {}).json()
    asked = datetime.fromisoformat(answer["at"])
    assert asked.tzinfo is not None
    assert answer["hours"] | {"is_open": None, "reason": "not_set"} == answer["hours"]
    assert {name: one["actions"] for name, one in answer["decisions"].items()} == dict.fromkeys(
        ["greeting", "routing", "transfer", "hours"]
    )
    assert (answer["voice_settings"], answer["greeting"]) == (VOICE, None)
    assert (answer["facts"], answer["derived"], answer["trace"]) == ({}, [], [])


def test_winners_come_with_their_actions_and_the_number_of_a_place(
    line: PhoneNumber, api: Api
) -> None:
    with tenant(line.pk):
        place = TransferPlace.objects.create(phone=line, name="Desk", number="+14155550123")
        VoiceSettings.objects.create(
            phone=line, language="de", greeting_message="Guten Tag", speech_speed="1.25"
        )
    to_desk = rule(line, "transfer", {"transfer_to": "Desk"})
    answer = ask(api)
    assert answer["decisions"]["transfer"] == {
        "winner": to_desk,
        "pending": [],
        "actions": {"transfer_to": "Desk"},
        "transfer_number": "+14155550123",
    }
    assert answer["voice_settings"]["speech_speed"] == 1.25
    assert answer["greeting"] == {"say": "Guten Tag", "language": "de"}
    with tenant(line.pk):
        TransferPlace.objects.filter(pk=place.pk).update(number="+14155550199")
    assert ask(api)["decisions"]["transfer"]["transfer_number"] == "+14155550199"
    rule(line, "transfer", {"transfer_to": "+14155550142"}, priority=1)
    assert ask(api)["decisions"]["transfer"]["transfer_number"] == "+14155550142"
    rule(line, "greeting", {"say": "Hallo"})
    assert ask(api)["greeting"] == {"say": "Hallo", "language": "de"}
    rule(line, "greeting", {"say": "Hello", "language": "en"}, priority=1)
    assert ask(api)["greeting"] == {"say": "Hello", "language": "en"}


@pytest.mark.parametrize(
    ("question", "pointer", "detail"),
    [
        ({"at": "2026-03-02T09:00:00"}, "#/at", "offset"),
        ({"at": "0001-01-01T00:00:00+02:00"}, "#/at", "years"),
        ({"at": 7}, "#/at", "JSON string"),
        ({"when": MORNING}, "#/when", "Unknown field"),
        ({"call_sid": "CA 1"}, "#/call_sid", "1 to 64"),
        ({"caller": "12 3456 78"}, "#/caller", "country code"),
        ({"caller": ""}, "#/caller", "blank"),
        ({"caller": 7}, "#/caller", "JSON string"),
        ({"caller": CALLER, "facts": {"caller": CALLER}}, "#/caller", "here or in facts"),
        ({"facts": []}, "#/facts", "dictionary"),
        ({"facts": {"mood": "good"}}, "#/facts/mood", "Unknown field"),
        ({"facts": {"urgency": "very"}}, "#/facts/urgency", "very"),
        ({"facts": {"sentiment": True}}, "#/facts/sentiment", "JSON string"),
        ({"facts": {"first_time_caller": "yes"}}, "#/facts/first_time_caller", "true or false"),
        ({"facts": {"asks_for_person": 1}}, "#/facts/asks_for_person", "true or false"),
        ({"facts": {"language": "English"}}, "#/facts/language", "language tag"),
        ({"facts": {"intent": "x" * 101}}, "#/facts/intent", "100"),
        ({"facts": {"said": "x" * 20_001}}, "#/facts/said", "20000"),
    ],
)
def test_a_wrong_question_is_pointed_at(
    api: Api, question: dict[str, Any], pointer: str, detail: str
) -> None:
    refusal = api.post("/decide/", question)
    assert refusal.status_code == 400
    [error] = refusal.json()["errors"]
    assert error["pointer"] == pointer
    assert detail in error["detail"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_ends_of_time_are_answered(line: PhoneNumber, api: Api, at: str) -> None:
    with tenant(line.pk):
        BusinessHours.objects.create(
            phone=line, day_of_week=1, open_time="09:00", close_time="09:00", timezone="UTC"
        )
    assert ask(api, at=at, caller=CALLER, call_sid=SID)["hours"]["is_open"] is not None


def test_facts_are_answered_as_they_were_used(api: Api) -> None:
    said = "  Two\n loaves "
    facts = {"said": said, "language": "de-de", "urgency": None, "intent": " book "}
    used = ask(api, caller="anonymous", facts=facts)["facts"]
    assert used == {"caller": None, "intent": "book", "language": "de-de", "said": said}


@pytest.mark.parametrize(
    ("written", "caller"),
    [
        (CALLER, CALLER),
        ("sip:+493012345678@pbx.example", CALLER),
        ("(415) 555-0142", "+14155550142"),
        ("+5214155550142", "+524155550142"),
        ("client:agent", "client:agent"),
        (None, None),
        ("+266696687", None),
    ],
)
def test_a_caller_is_read_as_callbacks_are(api: Api, written: str, caller: str) -> None:
    assert ask(api, caller=written)["facts"]["caller"] == caller
    assert ask(api, facts={"caller": written})["facts"]["caller"] == caller


BEFORE = datetime(2026, 3, 1, tzinfo=UTC)


def first(api: Api, **question: Any) -> Any:
    answer = ask(api, **{"caller": CALLER} | question)
    assert answer["derived"] == ["first_time_caller"] * ("first_time_caller" in answer["facts"])
    return answer["facts"].get("first_time_caller")


def test_a_first_call_is_found_in_the_lines_own_calls(
    line: PhoneNumber, other_line: PhoneNumber, api: Api
) -> None:
    make_call(other_line, caller_number=CALLER, created_at=BEFORE)
    make_call(line, created_at=BEFORE)
    call = make_call(line, caller_number=CALLER, created_at=BEFORE, call_sid=SID)
    assert first(api) is False
    # A call is not one before itself, and what came later was not before.
    assert first(api, call_sid=SID) is True
    assert first(api, at=BEFORE.isoformat()) is True
    archive(call)
    assert first(api) is False
    assert first(api, caller="+493000000000") is True


def test_a_call_in_progress_is_the_one_that_is_asked_about(line: PhoneNumber, api: Api) -> None:
    make_call(line, caller_number=CALLER, created_at=BEFORE, status="answered")
    assert first(api) is True
    assert first(api, call_sid=SID) is False


def test_a_claimed_call_is_not_one_before_itself(line: PhoneNumber, api: Api) -> None:
    sid = f"{SID} claimed by {line.pk}"
    make_call(line, caller_number=CALLER, created_at=BEFORE, call_sid=sid)
    assert first(api, call_sid=SID) is True


def test_a_first_call_cannot_be_told_after_a_month_was_dropped(
    line: PhoneNumber, api: Api
) -> None:
    query(
        "INSERT INTO sealed_months (phone_id, since, until, calls)"
        f" VALUES ('{line.pk}', '2020-01-01Z', '2020-02-01Z', 3)"
    )
    assert first(api) is None
    assert first(api, at="2019-12-31T00:00:00Z") is True
    make_call(line, caller_number=CALLER, created_at=BEFORE)
    assert first(api) is False


def test_what_is_given_or_withheld_is_not_looked_up(line: PhoneNumber, api: Api) -> None:
    make_call(line, caller_number="anonymous", created_at=BEFORE)
    make_call(line, caller_number=CALLER, created_at=BEFORE)
    for question in (
        {},
        {"caller": None},
        {"caller": CALLER, "facts": {"first_time_caller": True}},
    ):
        answer = ask(api, **question)
        assert answer["derived"] == []
        assert answer["facts"].get("first_time_caller") is (True if "facts" in question else None)


def test_an_etag_is_of_the_settings_and_of_all_but_the_moment(line: PhoneNumber, api: Api) -> None:
    def etag(**question: Any) -> str:
        answer = api.post("/decide/", {"at": MORNING} | question)
        assert answer["ETag"].startswith(f'"{answer.json()["settings_version"]}-')
        return str(answer["ETag"])

    plain = etag()
    assert etag(at="2026-03-02T09:00:01Z") == plain
    with_facts = etag(facts={"language": "de", "urgency": "low"})
    assert with_facts == etag(facts={"urgency": "low", "language": "de"}) != plain
    assert with_facts.partition("-")[0] == plain.partition("-")[0]
    question = {"at": MORNING, "call_sid": SID}
    known = api.post("/decide/", question, headers={"If-None-Match": plain})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", plain)
    assert kept() == [{}]
    rule(line, "greeting", {"say": "Hello"})
    changed = api.post("/decide/", question, headers={"If-None-Match": plain})
    assert changed.status_code == 200
    assert changed["ETag"].partition("-")[0] != plain.partition("-")[0]


def test_scopes(line: PhoneNumber) -> None:
    for scopes, plain, with_sid in (
        (["read"], 200, 403),
        (["ingest"], 200, 200),
        (["write"], 403, 403),
    ):
        api = api_of(line, *scopes)
        assert api.post("/decide/", {}).status_code == plain
        refusal = api.post("/decide/", {"call_sid": SID})
        assert refusal.status_code == with_sid
        if scopes == ["read"]:
            assert "scope ingest" in refusal.json()["detail"]
    assert len(kept()) == 1


def test_each_answer_with_a_call_sid_is_kept_once(line: PhoneNumber, api: Api) -> None:
    pending = rule(line, "routing", {"department": "bread"}, conditions={"urgency": "high"})
    first = ask(api, call_sid=SID, caller=CALLER)
    assert first["decisions"]["routing"]["pending"] == [{"id": pending, "waits_for": ["urgency"]}]
    assert ask(api, call_sid=SID, caller=CALLER) == first
    later = ask(api, call_sid=SID, caller=CALLER, facts={"urgency": "high"})
    assert later["decisions"]["routing"]["winner"] == pending
    call = make_call(line, call_sid=SID)
    with tenant(line.pk):
        one, two = decisions_of(call)
        [snapshot] = DecisionSettings.objects.all()
        stored = settings_of(line.pk)
    names = ("hours", "decisions", "trace", "derived")
    assert one.answer == {name: first[name] for name in names}
    assert two.answer == {name: later[name] for name in names}
    assert [one.facts, two.facts] == [first["facts"], later["facts"]]
    assert one.at == datetime.fromisoformat(MORNING)
    assert one.settings_version == two.settings_version == snapshot.version
    assert stored is not None
    assert snapshot.settings == stored.document


def test_a_calls_decisions_are_read_live_and_archived(line: PhoneNumber, api: Api) -> None:
    answers = [ask(api, call_sid=SID, facts={"said": said}) for said in ("One", "One. Two")]
    call = make_call(line, call_sid=SID)
    path = f"/calls/{call.pk}/decisions/"
    body = api.get(path).json()
    assert [one["facts"] for one in body["results"]] == [answer["facts"] for answer in answers]
    [read, _] = body["results"]
    assert read["settings_version"] == answers[0]["settings_version"]
    assert read["at"] == answers[0]["at"]
    assert read["answer"].items() <= answers[0].items()
    assert read["created_at"] < body["results"][1]["created_at"]
    archive(call)
    assert api.get(path).json() == body
    with all_tenants("test"):
        assert (Call.objects.count(), CallArchive.objects.count()) == (0, 1)


def test_a_call_has_so_many_decisions(api: Api, line: PhoneNumber) -> None:
    query(
        "INSERT INTO call_decisions"
        " SELECT %(line)s, %(sid)s, n::text, now(), now(), '{}', 'v', '{}'"
        " FROM generate_series(1, %(most)s) AS n",
        {"line": line.pk, "sid": SID, "most": MAX_DECISIONS},
    )
    refusal = api.post("/decide/", {"call_sid": SID})
    assert refusal.status_code == 409
    assert "200 decisions" in refusal.json()["detail"]
    assert api.post("/decide/", {}).status_code == 200
    assert len(kept()) == MAX_DECISIONS
    with all_tenants("test"):
        assert not DecisionSettings.objects.exists()


def test_a_leg_and_an_archived_call_have_no_decision(api: Api, line: PhoneNumber) -> None:
    query(
        "INSERT INTO call_legs (phone_id, call_sid, leg_sid, status)"
        f" VALUES ('{line.pk}', 'CA1', 'CAleg', 'busy')"
    )
    old = make_call(line, call_sid="CAold", created_at=BEFORE)
    archive(old)
    for sid, detail in (("CAleg", "that of a leg"), ("CAold", "Archived calls")):
        refusal = api.post("/decide/", {"call_sid": sid})
        assert refusal.status_code == 409
        assert detail in refusal.json()["detail"]
        assert kept(sid) == []


def test_another_lines_calls_and_settings_tell_nothing(
    line: PhoneNumber, other_line: PhoneNumber, api: Api
) -> None:
    """The same answer for a SID of another line's call, live or archived, or leg, or nobody's."""
    rule(other_line, "greeting", {"say": "The garage"})
    make_call(other_line, call_sid="CAlive", caller_number=CALLER, created_at=BEFORE)
    archive(make_call(other_line, call_sid="CAarchived", created_at=BEFORE))
    query(
        "INSERT INTO call_legs (phone_id, call_sid, leg_sid, status)"
        f" VALUES ('{other_line.pk}', 'CAlive', 'CAleg', 'busy')"
    )
    others = api_of(other_line, "ingest")
    ask(others, call_sid="CAdecided")
    sids = ["CAnobody", "CAlive", "CAarchived", "CAleg", "CAdecided"]
    answers = [ask(api, call_sid=sid, caller=CALLER) for sid in sids]
    assert answers == [answers[0]] * len(sids)
    assert answers[0]["greeting"] is None
    with tenant(other_line.pk):
        assert CallDecision.objects.count() == 1
        call = Call.objects.get()
    assert api.get(f"/calls/{call.pk}/decisions/").status_code == 404


def test_a_rule_that_sql_wrote_wrongly_is_named(line: PhoneNumber, api: Api) -> None:
    faulty = store_rule(line, conditions='{"weather": "fine"}')
    refusal = api.post("/decide/", {"call_sid": SID})
    assert refusal.status_code == 409
    assert str(faulty.pk) in refusal.json()["detail"]
    assert kept() == []


def test_nothing_of_a_call_is_logged(
    line: PhoneNumber, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    secret = {"caller": CALLER, "facts": {"said": "my secret", "intent": "ransom"}}
    with caplog.at_level(logging.DEBUG):
        ask(api, call_sid=SID, **secret)
        assert api.post("/decide/", secret | {"call_sid": "CA 1"}).status_code == 400
        store_rule(line, conditions='{"weather": "fine"}')
        assert api.post("/decide/", secret).status_code == 409
    # The statements themselves are logged by Django's debug mode alone.
    logged = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "django.db.backends"
    )
    for word in (CALLER, "secret", "ransom"):
        assert word not in logged
