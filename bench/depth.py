"""The first page of a line's calls against a deep one, by keyset and by the usual offset.

    python -m bench.depth [--calls 50000]

Pages of 20 of the biggest line: the 10,000th, or its last one where it has fewer. A page is the
statement and its JSON, without HTTP: ours is written by PostgreSQL, DRF's by PageNumberPagination,
a ModelSerializer and JSONRenderer; offset SQL only reads its rows. Each is compared with itself.
"""

from collections.abc import Callable, Iterator
from typing import Any

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.rows import Row, in_milliseconds
from bench.timing import by_turns, median_ratio

ROUNDS = 60
SIZE = 20
LINE = "pn_0"
OFFSET = "SELECT * FROM calls ORDER BY created_at DESC, id DESC LIMIT %s OFFSET %s"


def rows(calls: int) -> Iterator[Row]:
    """On the database of the environment, which has so many calls of bench.data."""
    set_up_django()
    from calls.models import Call
    from tenancy import tenant

    with tenant(LINE):
        deep = min(10_000, Call.objects.count() // SIZE)
        ways = {"ours": keyset, "DRF": page_numbers, "SQL": offset}
        acts = {name: way(1) for name, way in ways.items()}
        acts |= {f"{name}, deep": way(deep) for name, way in ways.items()}
        taken = by_turns(acts, rounds=ROUNDS)
    ratios = {name: median_ratio(taken[f"{name}, deep"], taken[name]) for name in ways}
    shown = {
        name: " against ".join(in_milliseconds(taken[key]) for key in (f"{name}, deep", name))
        for name in ways
    }
    for name, peer in {"DRF": "DRF page numbers", "SQL": "offset SQL"}.items():
        yield Row(
            work=f"page {deep:,} against page 1",
            peer=peer,
            ours=shown["ours"],
            theirs=shown[name],
            ratio=ratios["ours"],
            target="<= 1.1",
            note=f"{peer} take {ratios[name]:.1f} times their first page",
        )


def keyset(page: int) -> Callable[[], object]:
    from calls.api.page import ListQuery, read_page
    from calls.models import Call

    if page == 1:
        return lambda: read_page(ListQuery(), {}, limit=SIZE)
    before: Any = Call.objects.order_by("-created_at", "-id").values_list("created_at", "id")
    at, after_id = before[(page - 1) * SIZE - 1]
    place = {"at": at.isoformat(), "after_id": str(after_id)}
    return lambda: read_page(ListQuery(after_cursor=True), place, limit=SIZE)


def page_numbers(page: int) -> Callable[[], object]:
    from rest_framework import pagination, renderers, request, serializers
    from rest_framework.test import APIRequestFactory

    from calls.api.page import MADE
    from calls.api.serializers import FIELDS
    from calls.models import Call

    class StockSerializer(serializers.ModelSerializer[Call]):
        class Meta:
            model = Call
            fields = [name for name in FIELDS if name not in MADE]

    class StockPages(pagination.PageNumberPagination):
        page_size = SIZE

    factory = APIRequestFactory(SERVER_NAME="localhost")
    asked = request.Request(factory.get("/calls/", {"page": page}))

    def read() -> bytes:
        pages = StockPages()
        found = pages.paginate_queryset(Call.objects.order_by("-created_at", "-id"), asked)
        answer = pages.get_paginated_response(StockSerializer(found, many=True).data)
        rendered: bytes = renderers.JSONRenderer().render(answer.data)
        return rendered

    return read


def offset(page: int) -> Callable[[], object]:
    from django.db import connection

    def read() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(OFFSET, [SIZE, (page - 1) * SIZE])
            found: list[Any] = cursor.fetchall()
            return found

    return read


if __name__ == "__main__":
    run_alone("depth", rows, __doc__)
