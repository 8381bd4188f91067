"""Search finds every call of the scope's line that matches, no other, and by an index."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection

from calls.models import Call, CallSearch
from tenancy import NoTenantActive, all_tenants, no_tenant, tenant
from tenancy.readonly import ReadOnlyTable
from tenants.models import PhoneNumber
from tests.factories import make_call

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def bakery(line: PhoneNumber) -> dict[str, Call]:
    return {
        "cake": make_call(
            line,
            transcript="Hello, I would like to order a birthday cake for José.",
            created_at=NOON,
            metadata={"tags": ["vip", "order"], "metadata": {"intent": {"name": "order"}}},
        ),
        "bread": make_call(
            line,
            ai_summary="Asks whether there is rye bread.",
            created_at=NOON + timedelta(minutes=1),
            metadata={"tags": ["order"], "custom_fields": {"branch": "north", "n": 2}},
        ),
        "silent": make_call(line, created_at=NOON + timedelta(minutes=2)),
    }


@pytest.fixture
def garage(other_line: PhoneNumber) -> Call:
    """What a search of the bakery must never find."""
    return make_call(
        other_line,
        transcript="I would like to order a birthday cake for José and rye bread.",
        metadata={
            "tags": ["vip", "order"],
            "metadata": {"intent": {"name": "order"}},
            "custom_fields": {"branch": "north", "n": 2},
        },
    )


SEARCHES: list[tuple[dict[str, Any], set[str]]] = [
    ({"all_tags": ["order"]}, {"cake", "bread"}),
    ({"all_tags": ["order", "vip"]}, {"cake"}),
    ({"all_tags": ["order", "unknown"]}, set()),
    ({"any_tags": ["vip", "unknown"]}, {"cake"}),
    ({"metadata": {"intent": {"name": "order"}}}, {"cake"}),
    ({"metadata": {"intent": "order"}}, set()),
    ({"custom_fields": {"branch": "north"}}, {"bread"}),
    ({"words": "cake"}, {"cake"}),
    ({"words": "CAKE jose"}, {"cake"}),
    ({"words": '"birthday cake"'}, {"cake"}),
    ({"words": '"cake birthday"'}, set()),
    ({"words": "cake or bread"}, {"cake", "bread"}),
    ({"words": "bread -rye"}, set()),
    ({"words": "order", "all_tags": ["vip"]}, {"cake"}),
    ({"words": "bread", "all_tags": ["vip"]}, set()),
    ({"all_tags": ["order"], "limit": 1}, {"bread"}),
    ({"limit": 2}, {"bread", "silent"}),
    ({}, {"cake", "bread", "silent"}),
    ({"words": "", "all_tags": [], "metadata": {}}, {"cake", "bread", "silent"}),
]


def repr_of(value: Any) -> str:
    """The same in each test process, which a set's own is not."""
    return repr(sorted(value) if isinstance(value, set) else value)


@pytest.mark.parametrize(("search", "expected"), SEARCHES, ids=repr_of)
def test_search_finds_the_calls_of_its_line(
    bakery: dict[str, Call],
    garage: Call,
    line: PhoneNumber,
    search: dict[str, Any],
    expected: set[str],
) -> None:
    with tenant(line.id):
        found = set(Call.objects.search(**search))
    assert found == {bakery[name] for name in expected}


@pytest.mark.parametrize(("search", "expected"), SEARCHES, ids=repr_of)
def test_search_over_all_lines_finds_the_same_and_more(
    bakery: dict[str, Call], garage: Call, search: dict[str, Any], expected: set[str]
) -> None:
    # The garage's call is the newest, so without it the limit would be one higher.
    if "limit" in search:
        search = search | {"limit": search["limit"] + 1}
    with all_tenants("test"):
        found = set(Call.objects.search(**search))
    assert found - {garage} == {bakery[name] for name in expected}


def test_search_follows_the_scope_it_is_evaluated_in(
    bakery: dict[str, Call], garage: Call, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    with no_tenant():
        found = Call.objects.search(words="cake")
    with tenant(line.id):
        assert list(found.all()) == [bakery["cake"]]
    with tenant(other_line.id):
        assert list(found.all()) == [garage]
    with all_tenants("test"):
        assert set(found.all()) == {bakery["cake"], garage}
    with no_tenant(), pytest.raises(NoTenantActive):
        list(found.all())


def test_pages_of_a_search_join_without_gap_or_repetition(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    # Three at each of five moments: equal times across the pages' edges.
    made = [
        make_call(line, created_at=NOON + timedelta(hours=n // 3), metadata={"tags": ["a"]})
        for n in range(15)
    ]
    make_call(other_line, created_at=NOON, metadata={"tags": ["a"]})
    seen: list[Call] = []
    with tenant(line.id):
        before = None
        while page := list(Call.objects.search(all_tags=["a"], limit=4, before=before)):
            seen += page
            before = (page[-1].created_at, page[-1].pk)
    assert seen == sorted(made, key=lambda call: (call.created_at, call.pk), reverse=True)


def test_search_without_a_limit_composes_with_other_filters(line: PhoneNumber) -> None:
    failed = make_call(line, status="failed", created_at=NOON, metadata={"tags": ["a"]})
    for n in range(30):
        make_call(line, created_at=NOON + timedelta(hours=n + 1), metadata={"tags": ["a"]})
    with tenant(line.id):
        found = Call.objects.search(all_tags=["a"])
        assert list(found.filter(status="failed")) == [failed]
        assert found.count() == 31
        assert found.exclude(pk=failed.pk).search(words="nothing").exists() is False
        both = found.search(metadata={"a": 1}) | found.search(custom_fields={"b": [2]})
        assert found.exclude(pk__in=both).count() == 31


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_search_refuses_a_limit_out_of_range(limit: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 1000"):
        Call.objects.search(limit=limit)


def test_search_refuses_a_page_without_a_limit() -> None:
    with pytest.raises(ValueError, match="requires a limit"):
        Call.objects.search(words="a", before=(NOON, uuid.uuid4()))


NONSENSE = [
    "'",
    '"',
    "' OR 1=1 --",
    "'); DROP TABLE calls; --",
    "\\",
    "a & | ! b:*",
    "((((",
    "-",
    "-cake",
    "or",
    "or or or",
    '"" ""',
    "%s %(x)s %",
    "{column} {0}",
    "\x00",
    "cake\x00",
    "\ud800",
    "💥 ünïcödé",
    "   ",
    "x" * 5_000,
    '"' * 999,
    "a b " * 5_000,
    "-a " * 5_000,
]


@pytest.mark.parametrize("words", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("staff", [False, True], ids=["line", "staff"])
def test_words_never_fail_whatever_is_typed(
    bakery: dict[str, Call], garage: Call, line: PhoneNumber, words: str, staff: bool
) -> None:
    with all_tenants("test") if staff else tenant(line.id):
        found = list(Call.objects.search(words=words))
        assert Call.objects.exists()
    if not staff:
        assert garage not in found


@pytest.mark.parametrize("text", ["\x00", "\ud800"], ids=["nul", "surrogate"])
@pytest.mark.parametrize("staff", [False, True], ids=["line", "staff"])
def test_text_that_no_row_can_hold_is_not_found(
    bakery: dict[str, Call], line: PhoneNumber, text: str, staff: bool
) -> None:
    with all_tenants("test") if staff else tenant(line.id):
        assert not Call.objects.search(all_tags=["order", text]).exists()
        assert not Call.objects.search(any_tags=[text]).exists()
        assert not Call.objects.search(metadata={text: 1}).exists()
        assert not Call.objects.search(custom_fields={"a": [text]}).exists()


@pytest.mark.parametrize("value", ["'; DROP TABLE calls; --", "{a,b}", '"', "\\", "%s"])
def test_tags_and_objects_are_values_never_sql(
    line: PhoneNumber, other_line: PhoneNumber, value: str
) -> None:
    odd = {"tags": [value], "metadata": {value: value}, "custom_fields": {value: value}}
    mine = make_call(line, metadata=odd)
    make_call(other_line, metadata=odd)
    with tenant(line.id):
        for search in ({"all_tags": [value]}, {"metadata": {value: value}}):
            assert list(Call.objects.search(**search)) == [mine]


def test_words_follow_the_text_of_a_call(line: PhoneNumber) -> None:
    call = make_call(line, transcript=None)
    with tenant(line.id):
        assert not CallSearch.objects.exists()
        call.transcript = "first words"
        call.save()
        assert Call.objects.search(words="first").get() == call
        Call.objects.update(transcript="second words")
        assert not Call.objects.search(words="first").exists()
        assert Call.objects.search(words="second").get() == call
        Call.objects.update(transcript=None)
        assert not Call.objects.search(words="second").exists()
        call.delete()
        assert not CallSearch.objects.exists()


def test_a_very_long_transcript_is_saved_and_its_beginning_found(line: PhoneNumber) -> None:
    words = " ".join(uuid.UUID(int=n * 7919 + (n << 96)).hex for n in range(60_000))
    call = make_call(line, transcript=f"beginning {words}")  # 2 MB, no word twice
    with tenant(line.id):
        assert Call.objects.search(words="beginning").get() == call
        assert Call.objects.get().transcript == call.transcript


def test_nobody_but_the_triggers_writes_words(line: PhoneNumber) -> None:
    call = make_call(line, transcript="words")
    with tenant(line.id):
        with pytest.raises(ReadOnlyTable):
            CallSearch.objects.all().delete()
        with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission"):
            cursor.execute("DELETE FROM call_search WHERE call_id = %s", [call.pk])
