"""How many calls of a period ended how: equal to a count of the rows, wherever they are."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from analytics.outcomes import count_outcomes
from analytics.queries import total
from calls.archival.moving import archive_calls
from calls.outcomes import CallOutcome
from tenancy import tenant
from tenants.models import PhoneNumber
from tests.api_client import api_of
from tests.calls.archive import UNBOUNDED, drop_june, query
from tests.calls.test_outcomes import CASES, make

JUNE = datetime(2023, 6, 10, 12, tzinfo=UTC)
AUGUST = datetime(2023, 8, 10, 12, tzinfo=UTC)
# Over the raw rows.
RAW = """
SELECT outcome, count(*) FROM (
    SELECT phone_id, created_at, c.outcome FROM calls AS c
    UNION ALL SELECT phone_id, created_at, c.archived_outcome FROM calls_archive AS c
) AS ended WHERE phone_id = %s AND created_at >= %s AND created_at < %s GROUP BY outcome
"""


@pytest.fixture
def cases(line: PhoneNumber, other_line: PhoneNumber) -> None:
    """Each case in June, which is archived, and in August; and of another line."""
    query(UNBOUNDED)
    for case in CASES:
        make(line, case, created_at=JUNE)
        make(other_line, case, created_at=JUNE)
    archive_calls(cut_off=JUNE + timedelta(days=1), started_by="test")
    for case in CASES:
        make(line, case, created_at=AUGUST)


def counted(line: PhoneNumber, since: datetime, until: datetime) -> dict[str, int]:
    with tenant(line.pk):
        outcomes = count_outcomes(since=since, until=until)
        assert sum(outcomes.values()) == total(since=since, until=until).total_calls
    return outcomes


def test_counts_equal_those_of_the_rows(line: PhoneNumber, cases: None) -> None:
    of_each = Counter(case.outcome for case in CASES)
    for since, until in (
        (JUNE, AUGUST),
        (AUGUST, AUGUST + timedelta(1)),
        (JUNE, AUGUST + timedelta(1)),
    ):
        raw = dict(query(RAW, [line.pk, since, until]))
        assert counted(line, since, until) == dict.fromkeys(CallOutcome.values, 0) | raw
        periods = (since <= JUNE < until) + (since <= AUGUST < until)
        assert raw == {outcome: count * periods for outcome, count in of_each.items()}


def test_api_counts_days_and_compares_them(line: PhoneNumber, cases: None) -> None:
    days = {"first": "2023-08-10", "last": "2023-08-10", "compare": "previous"}
    body = api_of(line).get("/stats/outcomes/", days).json()
    assert body["outcomes"] == Counter(case.outcome for case in CASES)
    assert list(body["outcomes"]) == CallOutcome.values
    assert body["total_calls"] == len(CASES)
    assert (body["since"], body["previous"]["until"]) == ("2023-08-10T00:00:00.000000Z",) * 2
    assert body["previous"]["total_calls"] == 0
    wrong = api_of(line).get("/stats/outcomes/", {"first": "2023-08-10", "last": "2023-08-09"})
    assert wrong.status_code == 400


def test_calls_of_dropped_months_are_not_known(
    line: PhoneNumber, cases: None, tmp_path: Path
) -> None:
    query("UPDATE calls SET status = 'completed' WHERE status IN ('ringing', 'answered')")
    archive_calls(cut_off=JUNE + timedelta(days=1), started_by="test")
    drop_june(tmp_path)
    found = {value: count for value, count in counted(line, JUNE, AUGUST).items() if count}
    assert found == {"not_known": len(CASES)}


def test_page_of_a_line_shows_the_last_days_and_links_to_their_calls(
    line: PhoneNumber, back_office: Client
) -> None:
    for case in CASES:
        make(line, case, created_at=datetime.now(UTC) - timedelta(days=1))
    page: Any = back_office.get(f"/admin/tenants/phonenumber/{line.pk}/change/")
    shown = {label: (count, link) for label, count, link in page.context["page"]["outcomes"]}
    assert {label: count for label, (count, _) in shown.items()} == Counter(
        CallOutcome(case.outcome).label for case in CASES
    )
    count, link = shown["Ended by us"]
    assert len(back_office.get(link).context["cl"].result_list) == count
