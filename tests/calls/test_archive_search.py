"""What a search of the archive reads: an index of each month, or no more months than it shows."""

from datetime import UTC, datetime

from django.db import connection, connections, transaction

from calls.archival.moving import archive_calls
from calls.models import CallArchive
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, make_old_calls, query
from tests.factories import make_line

# Where the statistics are right, and nothing but LIMIT makes one plan better than another.
NO_OTHER_JOIN = """
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
"""
NO_SCAN_BUT_BY_A_CONDITION = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)
"""
SCANS = """
SELECT relname, sum(pg_stat_get_xact_numscans(indexrelid))
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relname LIKE 'calls_archive_20%%' GROUP BY 1 ORDER BY 1
"""


def archive_three_months(line: PhoneNumber) -> None:
    """100 calls a month from June to August 2023; two of three have the word "said"."""
    make_old_calls(line, 300, every="6 hours")
    archive_calls(cut_off=CUT_OFF, started_by="test")


def test_a_tag_has_an_index_over_all_lines(line: PhoneNumber) -> None:
    archive_three_months(line)
    with all_tenants("test"):
        query(NO_SCAN_BUT_BY_A_CONDITION)
        plan = CallArchive.objects.filter(tags__contains=["n7"]).explain()
    months = query("SELECT count(*) FROM pg_inherits WHERE inhparent = 'calls_archive'::regclass")
    assert [(plan.count("phone_id_tags_metadata_custom_fields_idx"),)] == months
    assert [(plan.count("Index Cond: (tags @> '{n7}'::text[])"),)] == months


def test_the_newest_calls_with_a_common_word_are_not_looked_for_in_older_months(
    committed: None,
) -> None:
    line = make_line()
    archive_three_months(line)
    with connections["owner"].cursor() as owner:
        owner.execute("ANALYZE calls_archive, call_search")
    with transaction.atomic():
        query(NO_OTHER_JOIN)
        before = dict(query(SCANS))
        with tenant(line.pk), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM app.top_archived_calls(words => 'said', at_most => 20)")
            found = cursor.fetchall()
        read = [month for month, scans in query(SCANS) if scans > before[month]]
    assert len(found) == 20
    assert min(created_at for created_at, _ in found) > datetime(2023, 8, 1, tzinfo=UTC)
    assert min(read) == "calls_archive_2023_08"
