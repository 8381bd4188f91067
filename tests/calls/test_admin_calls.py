"""What support staff find and do on the pages of calls."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calls.intake.models import CallEvent
from calls.models import Call, CallMetadata
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import form_errors, listed, pick
from tests.factories import archive, make_call

CALLS = "/admin/calls/call/"
NASTY = "<script>alert(1)</script>\"'&"


def found(client: Client, query: str) -> set[Any]:
    return {row.pk for row in listed(client, f"{CALLS}?{query}").result_list}


def form_of(client: Client, call: Call, **changes: Any) -> dict[str, Any]:
    """What the browser sends when the call's page is saved with these changes."""
    response: Any = client.get(f"{CALLS}{call.pk}/change/")
    page = response.context_data
    data = dict(page["adminform"].form.initial)
    for inline in page["inline_admin_formsets"]:
        formset = inline.formset
        for form in [formset.management_form, *formset.forms]:
            for field in form:
                data[field.html_name] = field.value()
    fields = {name: "" if value is None else value for name, value in data.items()}
    return fields | changes


def save(client: Client, call: Call, **changes: Any) -> Any:
    return client.post(f"{CALLS}{call.pk}/change/", form_of(client, call, **changes))


def reload(call: Call) -> Call:
    with all_tenants("test"):
        return Call.objects.select_related("metadata").get(pk=call.pk)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=live", {"ringing", "answered"}),
        ("status=failed", {"failed"}),
        ("confidence=low", {"failed"}),
        ("confidence=fair", {"failed", "answered"}),
        ("recording=yes", {"completed"}),
        ("recording=no", {"ringing", "answered", "failed", "garage"}),
        ("tag=vip", {"completed", "failed"}),
        ("tag=vip, new", {"answered"}),
        ("tag=VIP", set()),
        ("line=pn_garage", {"garage"}),
        ("line=pn_garage&status=failed", set()),
        ("first=2026-05-02&last=2026-05-03", {"answered", "failed"}),
        ("first=2026-05-04", {"completed", "garage"}),
        ("last=2026-05-01", {"ringing"}),
        ("first=9999-12-31&last=9999-12-31", set()),
        ("created_at__year=2026&created_at__month=5&created_at__day=3", {"failed"}),
        ("tag=vip&status=failed&confidence=low", {"failed"}),
    ],
)
@pytest.mark.parametrize("picked", [False, True])
def test_filters_find_their_calls(
    back_office: Client,
    line: PhoneNumber,
    other_line: PhoneNumber,
    query: str,
    names: set[str],
    picked: bool,
) -> None:
    def made(day: int, **columns: Any) -> Call:
        return make_call(line, created_at=datetime(2026, 5, day, 23, 59, tzinfo=UTC), **columns)

    calls = {
        "ringing": made(1, status="ringing"),
        "answered": made(
            2, status="answered", ai_confidence="0.6", metadata={"tags": ["vip, new"]}
        ),
        "failed": made(3, status="failed", ai_confidence="0.2", metadata={"tags": ["a", "vip"]}),
        "completed": made(4, recording_url="https://x", metadata={"tags": ["vip"]}),
        "garage": make_call(other_line, created_at=datetime(2026, 5, 5, tzinfo=UTC)),
    }
    if picked:
        pick(back_office, line)
        names = names - {"garage"}
    wanted = {calls[name].pk for name in names}
    assert found(back_office, query) == wanted


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("line=nobody", "Line: not found."),
        ("first=yesterday", "Days: Enter a valid date."),
        ("first=2026-05-02&last=2026-05-01", "Days: the first day is after the last."),
    ],
)
def test_a_bad_filter_says_so_and_shows_nothing(
    back_office: Client, line: PhoneNumber, query: str, says: str
) -> None:
    make_call(line)
    response = back_office.get(f"{CALLS}?{query}")
    assert says in response.content.decode()
    assert listed(back_office, f"{CALLS}?{query}").result_list == []


@pytest.mark.parametrize(
    "term",
    [
        "+4930901820",
        "+49 (0)30 901820",
        "0049 30 901820",
        "+49-30/90",
        "+4930",
        "pn_bakery",
        "bakery",
        "+1 415 555 0101",
        "(415) 555-0101",
        "CA0123456789abcdef0123456789abcdef",
        "ca0123456789ABCDEF0123456789ABCDEF",
    ],
)
@pytest.mark.parametrize("picked", [False, True])
def test_a_call_is_found_by_caller_sid_or_line(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber, term: str, picked: bool
) -> None:
    call = make_call(
        line, caller_number="+4930901820", call_sid="CA0123456789abcdef0123456789abcdef"
    )
    make_call(other_line, caller_number="+4420901820")
    if picked:
        pick(back_office, line)
    assert [row.pk for row in listed(back_office, CALLS, {"q": term}).result_list] == [call.pk]


def test_a_call_is_found_by_its_id_and_by_callers_without_a_number(
    back_office: Client, line: PhoneNumber
) -> None:
    call = make_call(line, caller_number="client:alice")
    make_call(line)
    for term in (str(call.pk), "client:alice", "client:al"):
        assert [row.pk for row in listed(back_office, CALLS, {"q": term}).result_list] == [call.pk]


@pytest.mark.parametrize("term", ["%", "_", "\\", "'", "zzz", "x" * 3000, "🙂"])
def test_a_nonsense_search_finds_nothing(
    back_office: Client, line: PhoneNumber, term: str
) -> None:
    make_call(line, caller_number="+4930901820")
    assert listed(back_office, CALLS, {"q": term}).result_list == []
    assert "No calls found" in back_office.get(CALLS, {"q": term}).content.decode()


def test_a_nul_is_refused_where_one_types(back_office: Client, line: PhoneNumber) -> None:
    response = back_office.get(CALLS, {"q": "\x00"})
    assert "Null characters are not allowed" in response.content.decode()
    ask = {"app_label": "calls", "model_name": "call", "field_name": "phone", "term": "\x00"}
    assert back_office.get("/admin/autocomplete/", ask).json()["results"] == []
    for page in ("change", "delete", "history"):
        response = back_office.get(f"/admin/tenants/phonenumber/%00/{page}/")
        assert response.status_code == 302


def test_text_of_callers_is_escaped_everywhere(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(
        line,
        caller_number=NASTY,
        call_sid=NASTY,
        recording_url=f"https://api.twilio.com/{NASTY}",
        transcript=NASTY,
        ai_summary=NASTY,
        provider_status=NASTY,
        metadata={"tags": [NASTY], "metadata": {NASTY: NASTY}, "custom_fields": {NASTY: NASTY}},
    )
    make_call(line, caller_number=NASTY)
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(business_name=NASTY, display_name=NASTY)
    for url in (
        CALLS,
        f"{CALLS}?q={NASTY}",
        f"{CALLS}?tag={NASTY}&line={line.pk}",
        f"{CALLS}{call.pk}/change/",
        f"{CALLS}{call.pk}/delete/",
        "/admin/calls/callmetadata/",
        f"/admin/calls/callmetadata/{call.pk}/change/",
        "/admin/tenants/phonenumber/",
        f"/admin/tenants/phonenumber/{line.pk}/change/",
        f"/admin/tenants/phonenumber/{line.pk}/delete/",
    ):
        html = back_office.get(url).content.decode()
        assert "<script>alert" not in html, url
        assert "&lt;script&gt;alert" in html, url


def test_prose_keeps_its_lines(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line, transcript="As heard:\n  AI: Hello")
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert ">As heard:\n  AI: Hello</div>" in html


def test_a_transcript_is_a_dialogue(back_office: Client, line: PhoneNumber) -> None:
    call = make_call(line, transcript="AI: Hello\nCaller: Hi,\nit is me: Ann")
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert html.count('<li class="dialogue-') == 2
    assert "<p>Hi,\nit is me: Ann</p>" in html


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://api.twilio.com/2010/Recordings/RE1", True),
        ("https://API.twilio.com/RE1", True),
        ("http://api.twilio.com/RE1", False),
        ("javascript:alert(1)", False),
        ("https://api.twilio.com.evil.example/RE1", False),
        ("https://evil.example\\@api.twilio.com/RE1", False),
        ("https://someone@api.twilio.com/RE1", False),
        ("https://api.twilio.com:8443/RE1", False),
        ("https://[", False),
        ("//api.twilio.com/RE1", False),
    ],
)
def test_only_recordings_of_known_hosts_are_links(
    back_office: Client, line: PhoneNumber, url: str, is_link: bool
) -> None:
    call = make_call(line, recording_url=url)
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert (f'href="{url}"' in html) is is_link
    assert url in html


def test_a_calls_page_shows_the_callers_other_calls(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    call = make_call(line)
    others = [make_call(line), make_call(other_line)]
    stranger = make_call(line, caller_number="+4930901820")
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert all(f"{CALLS}{other.pk}/change/" in html for other in others)
    assert f"{CALLS}{stranger.pk}/change/" not in html
    pick(back_office, line)
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert f"{CALLS}{others[0].pk}/change/" in html
    assert f"{CALLS}{others[1].pk}/change/" not in html


def test_archived_calls_of_the_caller_are_shown_too(
    back_office: Client, line: PhoneNumber
) -> None:
    call, old = make_call(line), make_call(line, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    archive(old)
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert f"/admin/calls/callarchive/{old.pk}/change/" in html
    html = back_office.get(f"/admin/calls/callarchive/{old.pk}/change/").content.decode()
    assert f"{CALLS}{call.pk}/change/" in html


def test_callers_without_a_number_are_not_one_caller(
    back_office: Client, line: PhoneNumber
) -> None:
    call, other = (make_call(line, caller_number="anonymous") for _ in range(2))
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert str(other.pk) not in html


def test_the_timeline_has_the_events_of_the_call(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    call = make_call(line)
    common = {"kind": "voice", "payload": {}, "outcome": "applied"}
    with all_tenants("test"):
        for owner, word in ((line, "in-progress"), (other_line, "stolen")):
            CallEvent.objects.create(
                phone=owner, call_sid=call.call_sid, parsed={"provider_status": word}, **common
            )
        CallEvent.objects.create(
            phone=line, call_sid="CAother", parsed={"provider_status": "busy"}, **common
        )
    pick(back_office, line)
    page: Any = back_office.get(f"{CALLS}{call.pk}/change/")
    assert [row["label"] for row in page.context_data["page"]["events"]] == ["in-progress"]


def test_the_page_shows_of_other_tables_what_one_may_see(
    support_agent: User, client: Client, line: PhoneNumber
) -> None:
    call, old = make_call(line), make_call(line, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    archive(old)
    with all_tenants("test"):
        CallEvent.objects.create(
            phone=line, call_sid=call.call_sid, kind="voice", payload={}, outcome="applied"
        )
    support_agent.user_permissions.add(Permission.objects.get(codename="view_call"))
    client.force_login(support_agent)
    page: Any = client.get(f"{CALLS}{call.pk}/change/")
    shown = page.context_data["page"]
    assert (shown["events"], shown["others"], len(shown["other_lists"])) == ([], [], 1)


def test_times_are_shown_in_utc_and_on_the_clock_of_the_line(
    back_office: Client, line: PhoneNumber
) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone="Europe/Berlin")
    call = make_call(line, created_at=datetime(2026, 5, 1, 23, 30, tzinfo=UTC))
    html = back_office.get(f"{CALLS}{call.pk}/change/").content.decode()
    assert "2026-05-01 23:30:00 UTC (Sat 01:30 Europe/Berlin)" in html


@pytest.mark.parametrize("picked", [False, True])
def test_metadata_is_added_and_edited_on_the_calls_page(
    back_office: Client, line: PhoneNumber, picked: bool
) -> None:
    if picked:
        pick(back_office, line)
    call = make_call(line)
    response = save(
        back_office,
        call,
        **{"metadata-0-tags": "vip\r\nup, down", "metadata-0-metadata": '{"a": true}'},
    )
    assert response.status_code == 302
    metadata = reload(call).metadata
    assert (metadata.tags, metadata.metadata) == (["vip", "up, down"], {"a": True})
    assert metadata.phone_id == line.pk
    assert save(back_office, call, **{"metadata-0-metadata": '{"a": 1}'}).status_code == 302
    assert reload(call).metadata.metadata == {"a": 1}
    assert reload(call).metadata.metadata["a"] is not True
    assert reload(call).metadata.tags == ["vip", "up, down"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": }', "Invalid JSON at line 1, column 7: Expecting value."),
        ("[1]", "Enter a JSON object"),
        ("null", "Enter a JSON object"),
        ('"text"', "Enter a JSON object"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[" * 100_000, "Invalid JSON"),
        ('{"a": "\\u0000"}', "PostgreSQL cannot store"),
        ('{"a": ["\\ud800"]}', "PostgreSQL cannot store"),
    ],
)
def test_bad_json_is_a_form_error(
    back_office: Client, line: PhoneNumber, text: str, says: str
) -> None:
    call = make_call(line, metadata={"metadata": {"old": 1}})
    response = save(back_office, call, **{"metadata-0-metadata": text})
    assert says in form_errors(response)
    assert reload(call).metadata.metadata == {"old": 1}


@pytest.mark.parametrize("picked", [False, True])
def test_a_status_that_goes_back_is_a_form_error(
    back_office: Client, line: PhoneNumber, picked: bool
) -> None:
    if picked:
        pick(back_office, line)
    call = make_call(line, status="completed", ai_summary="before")
    response = save(back_office, call, status="answered", ai_summary="after")
    assert "only moves forward" in form_errors(response)
    assert (reload(call).status, reload(call).ai_summary) == ("completed", "before")
    assert LogEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"duration": "-1"}, "Duration must be 0 seconds or more."),
        ({"duration": "99999999999"}, "less than or equal to 2147483647"),
        ({"ai_confidence": "1.5"}, "Confidence must be from 0 to 1."),
        ({"status": "busy"}, "not one of the available choices"),
    ],
)
def test_values_the_database_would_refuse_are_form_errors(
    back_office: Client, line: PhoneNumber, change: dict[str, str], says: str
) -> None:
    call = make_call(line)
    response = save(back_office, call, **change)
    assert says in form_errors(response)
    shown = response.context_data["page"]["call"]
    for name in change:
        assert getattr(shown, name) == getattr(call, name)
    assert "Nothing was saved." in response.content.decode()


def test_what_identifies_a_call_is_not_edited(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    call = make_call(line, transcript="as it was")
    forged = {"phone": other_line.pk, "call_sid": "CA0", "caller_number": "+1", "transcript": ""}
    assert save(back_office, call, status="completed", **forged).status_code == 302
    after = reload(call)
    assert after.phone_id == line.pk
    assert (after.call_sid, after.caller_number) == (call.call_sid, call.caller_number)
    assert after.transcript == "as it was"


NEW = {
    "caller_number": "+4930901820",
    "call_sid": "CAnew",
    "status": "ringing",
    "duration": "0",
    "ai_confidence": "0.8",
    "metadata-TOTAL_FORMS": "0",
    "metadata-INITIAL_FORMS": "0",
}


def test_a_call_is_added_to_the_chosen_line(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    response = back_office.post(f"{CALLS}add/", NEW | {"phone": other_line.pk})
    assert response.status_code == 302
    with all_tenants("test"):
        call = Call.objects.get(call_sid="CAnew")
    assert call.phone_id == other_line.pk
    assert (call.transcript, call.recording_url) == (None, None)


def test_a_call_is_added_to_the_picked_line_whatever_is_sent(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    pick(back_office, line)
    assert 'name="phone"' not in back_office.get(f"{CALLS}add/").content.decode()
    response = back_office.post(f"{CALLS}add/", NEW | {"phone": other_line.pk})
    assert response.status_code == 302
    with all_tenants("test"):
        assert Call.objects.get(call_sid="CAnew").phone_id == line.pk


def test_a_sid_that_another_line_has_is_a_form_error(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_call(other_line, call_sid="CAnew")
    pick(back_office, line)  # where no query of Django's sees the other call
    response = back_office.post(f"{CALLS}add/", NEW)
    assert "A call with this SID already exists." in form_errors(response)


def test_metadata_of_a_chosen_call_is_added_on_its_own_page(
    back_office: Client, line: PhoneNumber
) -> None:
    call = make_call(line)
    response = back_office.post(
        "/admin/calls/callmetadata/add/", {"call": str(call.pk), "tags": "vip"}
    )
    assert response.status_code == 302
    with all_tenants("test"):
        row = CallMetadata.objects.get()
    assert (row.call_id, row.phone_id, row.metadata) == (call.pk, line.pk, {})


def test_deleting_a_call_shows_what_goes_and_is_one_statement(
    back_office: Client, line: PhoneNumber
) -> None:
    call = make_call(line, metadata={"tags": ["vip"]})
    url = f"{CALLS}{call.pk}/delete/"
    assert "1 call metadata" in back_office.get(url).content.decode()
    with CaptureQueriesContext(connection) as queries:
        assert back_office.post(url, {"post": "yes"}).status_code == 302
    assert len([q for q in queries if "DELETE FROM" in q["sql"]]) == 1
    with all_tenants("test"):
        assert not Call.objects.exists()
        assert not CallMetadata.objects.exists()


def delete_action(client: Client, query: str, keys: list[Any], **more: str) -> Any:
    data = {"action": "delete_selected", "_selected_action": [str(key) for key in keys]}
    return client.post(f"{CALLS}?{query}", data | more)


def test_ticked_calls_are_deleted_in_one_statement(back_office: Client, line: PhoneNumber) -> None:
    calls = [make_call(line, metadata={}) for _ in range(4)]
    ticked = [call.pk for call in calls[:3]]
    page = delete_action(back_office, "", ticked, index="0").content.decode()
    assert "Deleting 3 calls cannot be undone" in page
    assert "3 call metadata" in page
    with CaptureQueriesContext(connection) as queries:
        assert delete_action(back_office, "", ticked, post="yes").status_code == 302
    assert len([q for q in queries if 'DELETE FROM "calls"' in q["sql"]]) == 1
    with all_tenants("test"):
        assert [row.pk for row in Call.objects.all()] == [calls[3].pk]
    assert LogEntry.objects.count() == 3


def test_all_calls_of_a_filtered_list_are_deleted_in_one_statement(
    back_office: Client, line: PhoneNumber
) -> None:
    kept = make_call(line)
    failed = [make_call(line, status="failed", metadata={"tags": ["x"]}) for _ in range(60)]
    query, one = "status=failed&tag=x", [failed[0].pk]
    page = delete_action(back_office, query, one, index="0", select_across="1").content.decode()
    assert "Deleting 60 calls, the whole list, cannot be undone" in page
    assert page.count('name="_selected_action"') == 1
    with CaptureQueriesContext(connection) as queries:
        delete_action(back_office, query, one, select_across="1", post="yes")
    assert len([q for q in queries if 'DELETE FROM "calls"' in q["sql"]]) == 1
    with all_tenants("test"):
        assert [row.pk for row in Call.objects.all()] == [kept.pk]
    assert LogEntry.objects.get().object_repr == "60 calls deleted"


def test_what_is_under_legal_hold_is_not_deleted(back_office: Client, line: PhoneNumber) -> None:
    held = make_call(line, legal_hold=True)
    make_call(line)
    for url, data in (
        (f"{CALLS}{held.pk}/delete/", {"post": "yes"}),
        (f"/admin/tenants/phonenumber/{line.pk}/delete/", {"post": "yes", "number": line.number}),
    ):
        assert "1 call under legal hold" in back_office.get(url).content.decode()
        assert back_office.post(url, data).status_code == 200
    delete_action(back_office, "", [held.pk], post="yes")
    message = back_office.get(CALLS).content.decode()
    assert "Nothing was deleted: the selection includes 1 call under legal hold." in message
    with all_tenants("test"):
        assert Call.objects.count() == 2


def test_foreign_calls_are_not_deleted_from_inside_a_line(
    back_office: Client, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    foreign = make_call(other_line)
    make_call(line)
    pick(back_office, line)
    delete_action(back_office, "", [foreign.pk], post="yes")
    with all_tenants("test"):
        assert Call.objects.filter(pk=foreign.pk).exists()


def test_each_cell_carries_the_label_that_a_narrow_page_shows(
    line: PhoneNumber, back_office: Client
) -> None:
    make_call(line, caller_number="+14155551234")
    page = back_office.get(CALLS).content.decode()
    assert '<td data-label="Select" class="action-checkbox">' in page
    assert '<th data-label="Started" class="field-began"><a href="' in page
    assert '<td data-label="Caller number" class="field-caller_number">+14155551234</td>' in page
