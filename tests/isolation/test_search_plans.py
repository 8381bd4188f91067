"""Search reads an index under row level security, on tables large enough to matter."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, connections, transaction

from calls.api.page import ListQuery, read_page
from calls.models import Call, CallArchive
from tenancy import all_tenants, tenant
from tests.conftest import months_of_the_archive

# One worker runs them all, and prepares for them once.
pytestmark = pytest.mark.xdist_group("search_plans")

# One line of 6,000 calls and forty of 350; a tag, a key and a word that 1 of 500 has, and others
# that every second has.
ROWS = """
INSERT INTO phone_numbers (id, number, business_name)
SELECT 'pn_' || n, '+1415555' || 1000 + n, 'B' FROM generate_series(0, 40) AS n;
INSERT INTO calls (id, phone_id, caller_number, call_sid, status, transcript, created_at)
SELECT md5(n::text)::uuid, 'pn_' || CASE WHEN n < 6000 THEN 0 ELSE 1 + n % 40 END,
       '+1' || 2000000000 + n * 7919::bigint % 1000000 * 1000, 'CA' || n, 'completed',
       concat_ws(' ', 'good morning', 'word' || n % 500, CASE WHEN n % 2 = 0 THEN 'often' END),
       timestamptz '2026-01-01Z' + n * 7919 % 20000 * interval '1 minute'
FROM generate_series(0, 19999) AS n;
INSERT INTO call_metadata (call_id, phone_id, tags, metadata, custom_fields)
SELECT id, phone_id,
       array_remove(ARRAY['tag' || n % 500, CASE WHEN n % 2 = 0 THEN 'often' END], NULL),
       jsonb_build_object('key', n % 500), jsonb_build_object('field', n % 500)
FROM calls, LATERAL (SELECT substr(call_sid, 3)::int AS n) AS number;
"""
# The same calls once more, a year older and over ten months.
ARCHIVED = """
SELECT app.create_archive_partitions('2025-01-01Z', '2025-10-01Z');
INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status, transcript, created_at,
    metadata, tags, custom_fields, metadata_created_at)
SELECT md5('archived' || call_sid)::uuid, c.phone_id, caller_number, 'old' || call_sid, status,
    transcript, timestamptz '2025-01-01Z' + 20 * (c.created_at - timestamptz '2026-01-01Z'),
    m.metadata, m.tags, m.custom_fields, c.created_at
FROM calls c JOIN call_metadata m ON m.call_id = c.id;
"""


@pytest.fixture(scope="module", autouse=True)
def _rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), months_of_the_archive():
        with connections["owner"].cursor() as cursor:
            cursor.execute(ROWS)
            cursor.execute(ARCHIVED)
            # VACUUM also merges what GIN has pending, which would be scanned beside the index.
            cursor.execute(
                "VACUUM ANALYZE phone_numbers, calls, call_metadata, call_search, calls_archive"
            )
        yield
        connections.close_all()
        with connections["owner"].cursor() as cursor:
            cursor.execute("TRUNCATE phone_numbers CASCADE")


@pytest.fixture(autouse=True)
def _unblocked(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


SCANNED = "SELECT oid::regclass::text FROM pg_class WHERE pg_stat_get_xact_numscans(oid) > 0"


@contextmanager
def scanning() -> Iterator[set[str]]:
    """A transaction; at its end it is known what it scanned, inside functions too."""
    scanned: set[str] = set()
    with connection.cursor() as cursor:
        # A session counts the scans of its last second, in tests before this one too.
        cursor.execute("SELECT pg_stat_force_next_flush()")
        with transaction.atomic():
            yield scanned
            cursor.execute(SCANNED)
            scanned.update(name for (name,) in cursor.fetchall())


def scans_of(query: Any) -> set[str]:
    """The indexes and tables that a query scans."""
    with scanning() as scanned:
        assert len(query)
    return scanned


SEARCHES = [
    ({"all_tags": ["tag7"]}, "idx_call_metadata_search"),
    ({"any_tags": ["tag7", "tag8"]}, "idx_call_metadata_search"),
    ({"metadata": {"key": 7}}, "idx_call_metadata_search"),
    ({"custom_fields": {"field": 7}}, "idx_call_metadata_search"),
    ({"words": "word7"}, "idx_call_search_words"),
    # Either is narrow enough, and the planner thinks the tag the rarer one.
    ({"words": "word7", "all_tags": ["tag7"]}, "idx_call_metadata_search"),
]


@pytest.mark.parametrize("page", [{}, {"limit": 20}], ids=["all", "page"])
@pytest.mark.parametrize(("search", "index"), SEARCHES, ids=str)
def test_what_is_rare_is_found_by_its_index(
    search: dict[str, Any], index: str, page: dict[str, Any]
) -> None:
    with tenant("pn_0"):
        scanned = scans_of(Call.objects.search(**search, **page)[:20])
    assert index in scanned
    assert not scanned & {"calls", "call_metadata", "call_search"}, "a whole table was read"


@pytest.mark.parametrize("search", [{"all_tags": ["often"]}, {"words": "often"}], ids=str)
def test_a_page_of_what_is_common_is_read_in_order_of_time(search: dict[str, Any]) -> None:
    with tenant("pn_0"):
        scanned = scans_of(Call.objects.search(**search, limit=20)[:20])
    assert "idx_calls_phone_created" in scanned
    assert not scanned & {"calls", "call_metadata", "call_search"}, "a whole table was read"


@pytest.mark.parametrize(("search", "index"), SEARCHES[:5], ids=str)
def test_staff_find_what_is_rare_by_an_index_over_all_lines(
    search: dict[str, Any], index: str
) -> None:
    documents = {"idx_call_metadata_jsonb", "idx_call_tags"}
    with all_tenants("test"):
        assert scans_of(Call.objects.search(**search)[:20]) & ({index} | documents)


def test_the_ids_found_are_looked_up_in_the_primary_key() -> None:
    with tenant("pn_0"):
        plan = Call.objects.search(all_tags=["tag7"], limit=20)[:20].explain()
    assert re.search(r"(Bitmap Index Scan on|Index Scan using) calls_pkey", plan)
    assert re.search(r"Index Cond: \(id = ANY", plan)


@pytest.mark.parametrize("order", ["-created_at", "created_at"])
@pytest.mark.parametrize("filters", [{}, {"status": "completed"}], ids=["alone", "filtered"])
@pytest.mark.parametrize(("search", "index"), SEARCHES, ids=str)
def test_what_is_rare_is_found_in_the_archive_by_its_index(
    search: dict[str, Any], index: str, filters: dict[str, Any], order: str
) -> None:
    shape = ListQuery(filters=tuple(filters), searches=tuple(search), archived="only", order=order)
    values = {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in {**search, **filters}.items()
    }
    with tenant("pn_0"), scanning() as scanned, connection.cursor() as cursor:
        # A month of a few rows is read whole, and rightly so.
        cursor.execute("SET LOCAL enable_seqscan = off")
        page = read_page(shape, values, limit=5)
    assert page.results.count(b'"id":') == 5
    tables = {
        name for name in scanned if re.fullmatch(r"calls|call_[a-z]+|calls_archive_\d+_\d+", name)
    }
    assert not tables, "a whole table was read"
    assert any(index in name or "phone_id_tags" in name for name in scanned)


@pytest.mark.parametrize("limit", [5, 20])
@pytest.mark.parametrize(
    ("search", "n"),
    [({"metadata": {"key": 7}}, 7), ({"custom_fields": {"field": 9}, "words": "good"}, 9)],
    ids=str,
)
def test_pages_meet_where_the_look_through_the_newest_calls_ends(
    search: dict[str, Any], n: int, limit: int
) -> None:
    """Each page begins among the newest 500 and ends in the index; none is left out or doubled."""
    found = []
    with tenant("pn_0"):
        right = [
            call.pk
            for call in Call.objects.all()
            if int(call.call_sid.removeprefix("CA")) % 500 == n
        ]
        before = None
        while page := list(Call.objects.search(**search, limit=limit, before=before)):
            found += [call.pk for call in page]
            before = (page[-1].created_at, page[-1].pk)
    assert found == right
    assert len(right) == 12


@pytest.mark.parametrize("limit", [5, 20])
def test_pages_of_the_archive_meet_there_too(limit: int) -> None:
    found: list[Any] = []
    asked = ListQuery(searches=("metadata",), archived="only")
    values: dict[str, Any] = {"metadata": '{"key": 7}'}
    with tenant("pn_0"):
        archived = CallArchive.objects.order_by("-created_at", "-id")
        right = [str(call.pk) for call in archived if call.metadata == {"key": 7}]
        while True:
            page = read_page(asked, values, limit=limit)
            found += [call["id"] for call in json.loads(page.results)]
            if not page.has_more:
                break
            asked = replace(asked, after_cursor=True)
            values |= dict(zip(("at", "after_id"), page.last, strict=True))
    assert found == right
    assert len(right) == 12


def test_callers_by_prefix_are_found_by_index() -> None:
    with tenant("pn_0"):
        plan = Call.objects.filter(caller_number__prefix="+120").explain()
        found = Call.objects.filter(caller_number__prefix="+120").count()
        assert found == Call.objects.filter(caller_number__startswith="+120").count() > 0
    assert "idx_calls_caller_number" in plan
    assert re.search(r"Index Cond: .*caller_number >= '\+120'", plan)


def test_a_prefix_is_taken_letter_for_letter() -> None:
    with tenant("pn_0"):
        assert not Call.objects.filter(caller_number__prefix="%").exists()
        assert not Call.objects.filter(caller_number__prefix="+1_").exists()


def test_the_latest_calls_are_read_in_order() -> None:
    with tenant("pn_0"):
        plan = Call.objects.all()[:20].explain()
    assert "idx_calls_phone_created" in plan
    assert "One-Time Filter" in plan
    assert "Sort" not in plan
