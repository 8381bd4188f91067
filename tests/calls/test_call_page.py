"""What the page of a call shows of its legs, recordings and review, on the clock of its line."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from calls.models import Call, CallEvent, CallReview
from tenancy import all_tenants
from tests.factories import make_call, make_line

PARTS = """
INSERT INTO call_legs (phone_id, call_sid, leg_sid, "to", direction, status, started_at) VALUES
    (%(line)s, %(sid)s, 'CAa', '+14155557777', 'outbound-dial', 'busy', %(noon)s),
    (%(line)s, %(sid)s, 'CAb', NULL, 'outbound-dial', 'ringing', NULL);
INSERT INTO call_recordings (phone_id, call_sid, recording_sid, state, source, channels, started)
VALUES (%(line)s, %(sid)s, 'REa', 'completed', 'DialVerb', 2, %(noon)s),
    (%(line)s, %(sid)s, 'REb', 'absent', NULL, NULL, NULL)
"""
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PAGE = "/admin/calls/call/{}/change/"


@pytest.fixture
def call(db: None) -> Call:
    line = make_line(timezone="America/New_York")
    call = make_call(line, created_at=NOON)
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(PARTS, {"line": line.pk, "sid": call.call_sid, "noon": NOON})
    return call


def page(client: Client, call: Call) -> Any:
    response: Any = client.get(PAGE.format(call.pk))
    assert response.status_code == 200
    return response.context_data["page"]


def test_what_is_known_of_legs_and_recordings(back_office: Client, call: Call) -> None:
    shown = page(back_office, call)
    assert [row["about"] for row in shown["legs"]] == [
        "2026-05-01 08:00:00, outbound-dial",
        "outbound-dial",
    ]
    assert [row["about"] for row in shown["recordings"]] == [
        "2026-05-01 08:00:00, DialVerb, 2 channels",
        "",
    ]


def test_the_timeline_names_the_leg_of_an_event(back_office: Client, call: Call) -> None:
    of_leg = {"provider_status": "busy", "leg_sid": "CAa", "to": "+14155557777"}
    with all_tenants("test data"):
        for parsed in ({"provider_status": "in-progress"}, of_leg):
            CallEvent.objects.create(
                phone=call.phone,
                call_sid=call.call_sid,
                kind="voice",
                payload={},
                parsed=parsed,
                outcome="applied",
            )
    assert [(row["label"], row["leg"]) for row in page(back_office, call)["events"]] == [
        ("in-progress", None),
        ("busy", "+14155557777"),
    ]
    html = back_office.get(PAGE.format(call.pk)).content.decode()
    assert "busy</a>, leg to +14155557777" in html


def test_the_steps_of_a_review_have_the_time_of_the_line(back_office: Client, call: Call) -> None:
    with all_tenants("test data"):
        CallReview.objects.create(
            phone=call.phone,
            call_id=call.pk,
            call_began=call.created_at,
            reviewed_by="ana",
            reviewed_at=NOON,
            history=[{"did": "reviewed", "by": "ana", "at": NOON.isoformat()}],
        )
    html = back_office.get(PAGE.format(call.pk)).content.decode()
    assert "Reviewed by ana, 2026-05-01 08:00:00 America/New_York" in html


def test_an_untouched_call_has_no_history_of_changes(back_office: Client, call: Call) -> None:
    html = back_office.get(f"/admin/calls/call/{call.pk}/history/").content.decode()
    assert "No changes in the admin." in html
