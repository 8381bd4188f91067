"""One history: live and archived calls of a line, page by page."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from calls.archival.moving import archive_calls
from calls.history import Position, find, page
from calls.models import CallArchive
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, make_old_calls, query
from tests.factories import make_call


def test_pages_show_each_call_once_and_newest_first(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_old_calls(line, 60)
    make_old_calls(other_line, 5)
    query("UPDATE calls SET legal_hold = true WHERE duration %% 7 = 0", [])
    moment = CUT_OFF - timedelta(days=5)
    for _ in range(5):  # equal moments: the id decides
        make_call(line, created_at=moment)
    expected = query(
        "SELECT created_at, id FROM calls WHERE phone_id = %s ORDER BY 1 DESC, 2 DESC", [line.pk]
    )
    archive_calls(cut_off=moment, started_by="test")
    seen: list[tuple[object, UUID]] = []
    archived = 0
    after = None
    with tenant(line.pk):
        while calls := page(limit=7, after=after):
            seen += [(call.created_at, call.id) for call in calls]
            archived += sum(call.archived for call in calls)  # type: ignore[attr-defined]
            after = Position(calls[-1].created_at, calls[-1].id)
    assert seen == expected
    assert archived == 60 - 60 // 7


def test_a_page_can_be_narrowed(line: PhoneNumber) -> None:
    make_old_calls(line, 20)
    archive_calls(cut_off=CUT_OFF, limit=10, started_by="test")
    with tenant(line.pk):
        calls = page(limit=50, only=Q(status="failed"))
        durations = [(call.duration, call.archived) for call in calls]  # type: ignore[attr-defined]
    assert durations == [(20, False), (15, False), (10, True), (5, True)]


def test_a_call_is_found_wherever_it_is(line: PhoneNumber, other_line: PhoneNumber) -> None:
    make_old_calls(line, 2)
    archive_calls(cut_off=CUT_OFF, limit=1, started_by="test")
    ((live,), (archived,)) = query("SELECT id FROM calls UNION ALL SELECT id FROM calls_archive")
    with tenant(line.pk):
        found = find(live), find(archived), find(UUID(int=0))
    assert [type(call).__name__ for call in found] == ["Call", "CallArchive", "NoneType"]
    assert isinstance(found[1], CallArchive)
    with tenant(other_line.pk):
        assert find(live) is find(archived) is None
