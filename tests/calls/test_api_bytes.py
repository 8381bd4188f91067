"""What PostgreSQL writes of a call is, byte for byte, what the serializer would."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from api.rendering import to_json
from calls.api.page import ListQuery, read_call, read_page
from calls.api.serializers import FIELDS, CallSerializer
from calls.models import Call
from tenancy import tenant
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
    rows = Call.objects.order_by("-created_at", "-id")
    for row in rows:
        row.archived = False  # type: ignore[attr-defined]
    return [to_json(CallSerializer(row).data) for row in rows]


def test_page_equals_the_serializer(line: PhoneNumber, calls: None) -> None:
    with tenant(line.pk):
        page = read_page(ListQuery(), {}, limit=200)
        rows = serialized()
        assert len(rows) == len(TEXTS)
        assert page.results == b"[" + b",".join(rows) + b"]"
        ids = Call.objects.order_by("-created_at", "-id").values_list("pk", flat=True)
        assert [read_call(pk) for pk in ids] == rows


def test_sparse_page_equals_the_serializer(line: PhoneNumber, calls: None) -> None:
    names = ("call_sid", "created_at", "ai_confidence", "archived")
    with tenant(line.pk):
        page = read_page(ListQuery(fields=names), {}, limit=200)
        rows = []
        for row in Call.objects.order_by("-created_at", "-id"):
            row.archived = False  # type: ignore[attr-defined]
            whole = CallSerializer(row).data
            rows.append(to_json({name: whole[name] for name in FIELDS if name in names}))
        assert page.results == b"[" + b",".join(rows) + b"]"


def test_no_calls_are_an_empty_array(line: PhoneNumber) -> None:
    with tenant(line.pk):
        page = read_page(ListQuery(), {}, limit=1)
        assert (page.results, page.has_more) == (b"[]", False)
        assert read_call(uuid.uuid4()) is None
