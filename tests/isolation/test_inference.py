"""What a line can conclude about others: a value that is elsewhere looks like one that is nowhere.

The other line's calls are many enough for PostgreSQL's statistics to list their values.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from backoffice import paging
from backoffice.counting import estimate
from calls.admin.calls import CallAdmin
from calls.api import page
from calls.models import Call
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.admin_client import pick
from tests.api_client import Api, api_of
from tests.conftest import committing
from tests.factories import make_call, make_line
from tests.test_layout import PYTHON, ROOT

# Values of the other line's calls, and such that no call has; equal in length.
ELSEWHERE = {
    "caller": "+15550009999",
    "prefix": "+155500",
    "tag": "canary-elsewhere",
    "word": "xylophone",
    "sid": "CA" + "e" * 32,
    "id": "7b0a4c1e-0000-4000-8000-00000000000e",
}
NOWHERE = {
    "caller": "+15660008888",
    "prefix": "+156600",
    "tag": "canary-not-there",
    "word": "xylobeans",
    "sid": "CA" + "f" * 32,
    "id": "7b0a4c1e-0000-4000-8000-00000000000f",
}
MANY = 600
PLANT = """
WITH made AS (
    INSERT INTO calls (phone_id, caller_number, call_sid, status, duration, transcript)
    SELECT %(line)s, %(caller)s, 'CAplanted' || n, 'completed', 60, %(word)s
    FROM generate_series(1, %(many)s) AS n RETURNING id, phone_id
)
INSERT INTO call_metadata (call_id, phone_id, metadata, tags, custom_fields)
SELECT id, phone_id, jsonb_build_object('order', %(tag)s::text), ARRAY[%(tag)s],
    jsonb_build_object('order', %(tag)s::text)
FROM made
"""

API_QUERIES: list[dict[str, str]] = [
    {"caller": "{caller}"},
    {"caller_prefix": "{prefix}"},
    {"caller_prefix": "{caller}", "order": "created_at"},
    {"tags": "{tag}"},
    {"tags_any": "{tag}"},
    {"metadata": '{{"order":"{tag}"}}'},
    {"custom_fields": '{{"order":"{tag}"}}'},
    {"q": "{word}"},
    {"q": "{word}", "status": "completed", "duration_min": "1"},
]
ADMIN_QUERIES: list[tuple[str, dict[str, str]]] = [
    ("/admin/calls/call/", {"q": "{caller}"}),
    ("/admin/calls/call/", {"q": "{prefix}"}),
    ("/admin/calls/call/", {"q": "{sid}"}),
    ("/admin/calls/call/", {"words": "{word}"}),
    ("/admin/calls/call/", {"tag": "{tag}"}),
    ("/admin/calls/callarchive/", {"q": "{caller}"}),
    ("/admin/calls/callmetadata/", {"q": "{tag}"}),
    ("/admin/search/", {"s": "{caller}", "extended": "1"}),
    ("/admin/search/", {"s": "{sid}", "extended": "1"}),
]


class Planted(NamedTuple):
    line: PhoneNumber
    other: PhoneNumber
    superuser: User


@pytest.fixture(scope="module")
def planted(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Planted]:
    with committing(django_db_blocker):
        line, other = make_line(), make_line()
        make_call(line)
        make_call(line, caller_number="+14155550001", metadata={"tags": ["vip"]})
        make_call(other, call_sid=ELSEWHERE["sid"], id=uuid.UUID(ELSEWHERE["id"]))
        with all_tenants("test data"), connection.cursor() as cursor:
            cursor.execute(PLANT, {"line": other.pk, "many": MANY, **ELSEWHERE})
        with connections["owner"].cursor() as owner:
            owner.execute("ANALYZE calls, call_metadata, call_search")
        yield Planted(line, other, User.objects.create_superuser("inference"))


@pytest.fixture
def picked(planted: Planted) -> Client:
    client = Client()
    client.force_login(planted.superuser)
    pick(client, planted.line)
    return client


def filled(query: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    return {name: text.format(**values) for name, text in query.items()}


def without(body: str, values: dict[str, str]) -> str:
    """A page without the value it was asked for, and what differs from page to page."""
    for value in values.values():
        for plus in ("+", "%2B", "%252B"):
            written = value.replace("+", plus)
            body = body.replace(written, "VALUE")
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body)
    return re.sub(r"nonce-?=?\"?[\w+/=-]+", "", body)


def test_the_planner_knows_the_other_lines_values(planted: Planted) -> None:
    """Else no test of this module could fail."""
    with all_tenants("test"):
        assert estimate(Call.objects.filter(caller_number=ELSEWHERE["caller"])) > MANY / 2
        assert estimate(Call.objects.filter(caller_number=NOWHERE["caller"])) < 10


@pytest.mark.parametrize("total", ["estimate", "exact"])
@pytest.mark.parametrize("query", API_QUERIES, ids=lambda query: next(iter(query)))
def test_the_api_answers_alike(planted: Planted, query: dict[str, str], total: str) -> None:
    api = api_of(planted.line)
    for archived in ("exclude", "include", "only"):
        answers = [
            api.get("/calls/", filled(query, values) | {"total": total, "archived": archived})
            for values in (ELSEWHERE, NOWHERE)
        ]
        assert {answer.status_code for answer in answers} == {200}
        assert answers[0].content == answers[1].content
        assert answers[0].json() == {
            "results": [],
            "next": None,
            "total": {"count": 0, "exact": True},
        }


@pytest.mark.parametrize("path", ["/calls/{id}/", "/calls/{id}/metadata/"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "PUT"])
def test_ids_of_another_line_are_unknown(planted: Planted, method: str, path: str) -> None:
    answers = [
        api_of(planted.line).request(method, path.format(**values), {})
        for values in (ELSEWHERE, NOWHERE)
    ]
    assert answers[0].status_code == answers[1].status_code >= 400
    assert without(answers[0].content.decode(), ELSEWHERE) == without(
        answers[1].content.decode(), NOWHERE
    )


@pytest.mark.parametrize(("address", "query"), ADMIN_QUERIES)
def test_the_admin_in_a_picked_line_answers_alike(
    picked: Client,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    query: dict[str, str],
) -> None:
    # As in a list too long to be counted.
    monkeypatch.setattr(paging, "CAP", 1)
    bodies = []
    for values in (ELSEWHERE, NOWHERE):
        response = picked.get(address, filled(query, values))
        assert response.status_code == 200
        bodies.append(without(response.content.decode(), values))
    assert bodies[0] == bodies[1]


def test_a_long_list_in_a_picked_line_shows_no_estimate(
    picked: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number of its own calls up to the cap, and nothing made of all lines' statistics."""
    monkeypatch.setattr(paging, "CAP", 1)
    monkeypatch.setattr(CallAdmin, "list_per_page", 1)
    html = picked.get("/admin/calls/call/").content.decode()
    assert "<span>more than 1 call</span>" in html


def test_an_estimate_counts_the_lines_own_calls_up_to_a_bound(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = api_of(planted.other)

    def total(api: Api, **query: Any) -> Any:
        return api.get("/calls/", {"total": "estimate", **query}).json()["total"]

    assert total(api) == {"count": MANY + 1, "exact": True}
    for query in API_QUERIES:
        assert total(api, **filled(query, ELSEWHERE)) == {"count": MANY, "exact": True}
    monkeypatch.setattr(page, "MAX_COUNTED", MANY - 1)
    for query in API_QUERIES:
        assert total(api, **filled(query, ELSEWHERE)) == {"count": MANY - 1, "exact": False}
    assert total(api) == {"count": MANY + 1, "exact": True}
    monkeypatch.setattr(page, "MAX_COUNTED_UNFILTERED", MANY)
    assert total(api) == {"count": MANY, "exact": False}


def test_no_code_but_that_of_staff_reads_what_the_planner_knows() -> None:
    """EXPLAIN and pg_class know of all lines; who reads them works for those who may see all."""
    pattern = re.compile(r"\bEXPLAIN\b|\.explain\(|reltuples|pg_stats\b|n_live_tup")
    found = {
        str(path.relative_to(ROOT))
        for path in PYTHON
        if path.relative_to(ROOT).parts[0] not in {"tests", "bench", "monitoring"}
        and pattern.search(path.read_text())
    }
    assert found == {
        "backoffice/counting.py",  # called by paging for those who see all lines
        "calls/archival/forecast.py",  # archive_calls --forecast, which operators run
        "database/safe_migrations/blockers.py",  # plan_migrations, likewise
    }
