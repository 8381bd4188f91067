"""GET calls/ beside a stock Django REST framework view of the same rows, in one process.

python -m bench.api: makes a line of its own with --calls calls in the main database, measures the
two in turn, and removes the line. Both answer through Django's handler, middleware included; the
stock view has the same credentials look-up and the same scope.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
os.environ["AUDIT_LOG_LEVEL"] = "WARNING"
# One caller asks as fast as it can.
os.environ["API_REQUESTS_PER_KEY"] = os.environ["API_REQUESTS_PER_LINE"] = "1000000"
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402
from rest_framework.pagination import CursorPagination  # noqa: E402
from rest_framework.renderers import JSONRenderer  # noqa: E402

from calls.api.page import Shape, read_page  # noqa: E402
from calls.api.serializers import FIELDS  # noqa: E402
from calls.models import Call  # noqa: E402
from replytics.urls import urlpatterns as ours  # noqa: E402
from tenants.api.views import LineView  # noqa: E402
from tenants.credentials import create_api_key  # noqa: E402
from tenants.models import PhoneNumber  # noqa: E402
from tenants.scoping import all_tenants, tenant  # noqa: E402

LINE = "pn_bench_api"
FILL = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, duration, transcript, ai_summary,
    created_at)
SELECT %(line)s, '+1415555' || lpad((n %% 10000)::text, 4, '0'), 'bench-api-' || n, 'completed',
    n %% 600, repeat('Caller: Do you have rye bread? ', 20), 'Asked for bread.',
    now() - n * interval '1 minute'
FROM generate_series(1, %(calls)s) AS n
"""


class StockSerializer(serializers.ModelSerializer[Call]):
    class Meta:
        model = Call
        fields = [name for name in FIELDS if name != "archived"]


class StockPages(CursorPagination):
    page_size = 20
    ordering = ("-created_at", "-id")


class StockCalls(LineView, viewsets.ReadOnlyModelViewSet[Call]):
    scopes = {"GET": "read"}
    serializer_class = StockSerializer
    pagination_class = StockPages
    renderer_classes = [JSONRenderer]

    def get_queryset(self) -> Any:
        return Call.objects.all()


router = routers.SimpleRouter()
router.register("stock/calls", StockCalls, basename="stock")
urlpatterns = [*ours, path("", include(router.urls))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=3, help="per round and view")
    arguments = parser.parse_args()
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    with all_tenants("benchmark"):
        PhoneNumber.objects.filter(pk=LINE).delete()
        PhoneNumber.objects.create(id=LINE, number="+14155550177", business_name="Bench")
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"line": LINE, "calls": arguments.calls})
        _, key = create_api_key(phone_id=LINE, name="bench", scopes=["read"])
    try:
        compare(key, seconds=arguments.seconds)
        measure_depth(arguments.calls)
    finally:
        with all_tenants("benchmark"):
            PhoneNumber.objects.filter(pk=LINE).delete()


def compare(key: str, *, seconds: float) -> None:
    ask = asker(key)
    rates: dict[str, list[float]] = {"/api/v1/calls/": [], "/stock/calls/": []}
    for url in rates:
        print(f"{url}: {len(ask(url).content)} bytes")
    for _ in range(5):
        for url, found in rates.items():
            found.append(requests_per_second(lambda url=url: ask(url), seconds))  # type: ignore[misc]
    for url in rates:
        begun = time.process_time()
        for _ in range(200):
            ask(url)
        print(f"{url}: {(time.process_time() - begun) * 5:.2f} ms of our own CPU a request")
    ours, stock = (statistics.median(found) for found in rates.values())
    print(f"ours {ours:.0f} requests/s, stock {stock:.0f} requests/s: {ours / stock:.1f} times")


def asker(key: str) -> Callable[[str], Any]:
    from django.core.handlers.wsgi import WSGIHandler

    handler, factory = WSGIHandler(), RequestFactory(headers={"Authorization": f"Api-Key {key}"})

    def ask(url: str) -> Any:
        response: Any = handler.get_response(factory.get(url))
        assert response.status_code == 200, response.content[:500]
        return response

    return ask


def requests_per_second(ask: Callable[[], object], seconds: float) -> float:
    count, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        ask()
        count += 1
    return count / passed


def measure_depth(calls: int) -> None:
    """Page 1 against the deepest page, at most the 10,000th: the statement alone."""
    with tenant(LINE):
        number = min(10_000, calls // 20 - 1)
        at, after_id = Call.objects.order_by("-created_at", "-id").values_list("created_at", "id")[
            number * 20 - 1
        ]
        deep = {"at": at.isoformat(), "after_id": str(after_id)}
        first: list[float] = []
        last: list[float] = []
        for _ in range(300):
            for shape, values, found in (
                (Shape(), {}, first),
                (Shape(after_cursor=True), deep, last),
            ):
                begun = time.perf_counter()
                read_page(shape, values, limit=20)
                found.append(time.perf_counter() - begun)
        one, other = statistics.median(first), statistics.median(last)
        print(f"page 1 {one * 1e3:.2f} ms, page {number} {other * 1e3:.2f} ms: {other / one:.2f}")


if __name__ == "__main__":
    main()
