"""The words of a call stand while it is live or archived, and no longer."""

from datetime import UTC, datetime
from pathlib import Path

from django.db import connections

from calls.archival.loading import load_file
from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, drop_june, make_old_calls, query
from tests.factories import make_call, make_line

ALL = Choice(phone_id="pn_test", since=datetime(2023, 1, 1, tzinfo=UTC), until=CUT_OFF)
# Call, line and words, and what they would be if they were made now.
WORDS = "SELECT call_id, phone_id, document::text FROM call_search ORDER BY 1"
RIGHT = """
SELECT id, phone_id, app.call_document(transcript, ai_summary)::text
FROM (SELECT id, phone_id, transcript, ai_summary FROM calls
    UNION ALL SELECT id, phone_id, transcript, ai_summary FROM calls_archive) both_tables
WHERE transcript IS NOT NULL OR ai_summary IS NOT NULL ORDER BY 1
"""
BY_HAND = """
SELECT app.create_archive_partitions('2023-06-01', '2023-06-01');
WITH gone AS (DELETE FROM calls RETURNING *) INSERT INTO calls_archive SELECT * FROM gone
"""


def check(calls: int) -> None:
    found = query(WORDS)
    assert len(found) == calls
    assert found == query(RIGHT)


def test_words_stay_through_every_move(committed: None, tmp_path: Path) -> None:
    make_old_calls(make_line(id="pn_test"), 30)
    check(30)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    check(30)
    _, path = drop_june(tmp_path)
    check(0)
    load_file(path, batch_size=7, started_by="test")
    check(30)
    restore_calls(ALL, batch_size=7, started_by="test")
    assert query("SELECT count(*) FROM calls") == [(30,)]
    check(30)


def test_words_stay_with_a_call_that_is_moved_by_hand(db: None) -> None:
    make_old_calls(make_line(id="pn_test"), 5)
    query(BY_HAND)
    check(5)
    query("UPDATE calls_archive SET transcript = 'redacted', ai_summary = NULL")
    check(5)
    query("DELETE FROM calls_archive WHERE call_sid <> 'pn_test1'")
    check(1)


def test_a_deleted_call_takes_its_words_and_no_others(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    calls = [make_call(owner, transcript="cake") for owner in (line, line, other_line)]
    make_old_calls(line, 3)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    check(6)
    with tenant(line.pk):
        calls[0].delete()
    check(5)
    # A tenant that claims to be the archiver is not believed.
    with tenant(line.pk):
        query_as_tenant = Call.objects.filter(pk=calls[1].pk)
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT set_config('app.archiving', 'on', true)")
        query_as_tenant.delete()
    check(4)
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).delete()
    check(1)


def test_an_emptied_table_keeps_the_words_of_the_other(committed: None) -> None:
    make_old_calls(make_line(id="pn_test"), 6)
    archive_calls(cut_off=CUT_OFF, limit=4, started_by="test")
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE calls, call_metadata, imported_states")
        check(4)
        cursor.execute("TRUNCATE calls_archive")
        check(0)
