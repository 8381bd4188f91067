"""What PostgreSQL writes of a call is, byte for byte, what the serializer would."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from api.rendering import to_json
from calls.api.page import ListQuery, read_call, read_page
from calls.api.serializers import FIELDS, CallSerializer, WholeCallSerializer
from calls.legs import legs_of
from calls.models import Call
from calls.outcomes import with_outcomes
from calls.recordings import recordings_of
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.factories import make_call

TEXTS = [
    None,
    "",
    "plain",
    "quotes \" and \\ and / and '",
    "tab\tline\ncarriage\rback\bfeed\f",
    "controls \x01\x02\x1f\x7f\x80\x9f",
    "zero width \u200b, separators \u2028\u2029, BOM \ufeff",
    "Grüße, 日本語, עברית, 🎉👩‍👩‍👧",
    "</script><!-- & -->",
    "%(line)s %s {} $1 \\u0041",
]
MOMENTS = [
    datetime(2024, 5, 6, 12, 30, 0, 123456, UTC),
    datetime(2024, 5, 6, 12, 30, tzinfo=UTC),
    datetime(2024, 5, 6, 12, 30, 0, 100000, UTC),
    datetime(1970, 1, 1, 0, 0, 0, 1, UTC),
    datetime(999, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
]
CONFIDENCES = [Decimal(text) for text in ("0", "1", "0.1", "0.8", "0.05", "0.99", "0.30")]


@pytest.fixture
def calls(line: PhoneNumber) -> None:
    for n, text in enumerate(TEXTS):
        make_call(
            line,
            caller_number=text or "anonymous",
            transcript=text,
            ai_summary=TEXTS[-n],
            recording_url=f"https://api.twilio.com/{text}" if n % 2 else text,
            provider_status=text,
            duration=[0, 60, 2**31 - 1][n % 3],
            created_at=MOMENTS[n % len(MOMENTS)],
            ai_confidence=CONFIDENCES[n % len(CONFIDENCES)],
            status=["ringing", "answered", "completed", "failed"][n % 4],
        )


def serialized() -> list[bytes]:
    rows = with_outcomes(Call.objects.order_by("-created_at", "-id"))
    for row in rows:
        row.archived = False
    return [to_json(CallSerializer(row).data) for row in rows]


def test_page_equals_the_serializer(line: PhoneNumber, calls: None) -> None:
    with tenant(line.pk):
        page = read_page(ListQuery(), {}, limit=200)
        rows = serialized()
        assert len(rows) == len(TEXTS)
        assert page.results == b"[" + b",".join(rows) + b"]"
        ids = Call.objects.order_by("-created_at", "-id").values_list("pk", flat=True)
        no_parts = b',"legs":[],"recordings":[]}'
        assert [read_call(pk) for pk in ids] == [row[:-1] + no_parts for row in rows]


PARTS = """
INSERT INTO call_legs (phone_id, call_sid, leg_sid, direction, "to", status, duration, started_at)
SELECT phone_id, call_sid, 'CA' || n, 'outbound-dial', '+1415' || n, s.status, n, created_at
FROM calls, unnest(ARRAY['busy', 'completed', 'queued', 'other']) WITH ORDINALITY AS s (status, n);
INSERT INTO call_recordings (phone_id, call_sid, recording_sid, url, channels, state, started)
SELECT phone_id, call_sid, 'RE' || n, url, n, 'completed', created_at + n * interval '1 s'
FROM calls, unnest(ARRAY['https://api.twilio.com/a"b', 'https://elsewhere.example/', NULL])
    WITH ORDINALITY AS u (url, n)
"""


def test_whole_call_equals_the_serializer(line: PhoneNumber) -> None:
    call = make_call(line, created_at=MOMENTS[0])
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(PARTS)
    with tenant(line.pk):
        row: Any = with_outcomes(Call.objects.all()).get()
        row.archived = False
        row.legs, row.recordings = legs_of(row), recordings_of(row)
        assert len(row.legs) == 4
        assert len(row.recordings) == 3
        assert read_call(call.pk) == to_json(WholeCallSerializer(row).data)


def test_sparse_page_equals_the_serializer(line: PhoneNumber, calls: None) -> None:
    names = ("call_sid", "created_at", "ai_confidence", "archived")
    with tenant(line.pk):
        page = read_page(ListQuery(fields=names), {}, limit=200)
        rows = []
        for row in with_outcomes(Call.objects.order_by("-created_at", "-id")):
            row.archived = False
            whole = CallSerializer(row).data
            rows.append(to_json({name: whole[name] for name in FIELDS if name in names}))
        assert page.results == b"[" + b",".join(rows) + b"]"


def test_no_calls_are_an_empty_array(line: PhoneNumber) -> None:
    with tenant(line.pk):
        page = read_page(ListQuery(), {}, limit=1)
        assert (page.results, page.has_more) == (b"[]", False)
        assert read_call(uuid.uuid4()) is None
