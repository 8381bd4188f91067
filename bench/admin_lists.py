"""The first page of each list of the admin beside a stock ModelAdmin of the same model.

    python -m bench.admin_lists [--rounds 5]

Reads the database of the settings, which should hold a million calls (manage.py seed_demo). Ours
and stock take turns in one process; a time is the median of the rounds, in milliseconds, from the
view's call to its rendered page. The stock admin has the same columns, order, joins and page size,
and what its documentation offers: date_hierarchy, a list_filter on status, search_fields.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from typing import Any

import django
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import OperationalError, connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from bench.rows import Row, in_milliseconds
from bench.timing import median_ratio

ROUNDS = 5
# Seconds after which a page counts as never coming.
PATIENCE = 60
# What else is asked of the calls' list: title, our query string, the stock admin's.
QUESTIONS = [
    ("far page", "before=end", "p={2}"),
    ("status failed", "status=failed", "status__exact=failed"),
    ("one day", *["created_at__year={0:%Y}&created_at__month={0:%m}&created_at__day={0:%d}"] * 2),
    ("a caller", "q={1}", "q={1}"),
    ("nonsense", "q=zzzzzz", "q=zzzzzz"),
]


def stock_admin(ours: Any) -> Any:
    """A ModelAdmin without our machinery for the model of ours."""
    from django.contrib import admin

    names = {field.name for field in ours.model._meta.fields}
    columns = {"began": "created_at", "line": "phone", "hour": "date_bucket"}
    columns |= {"lasted": "duration", "confidence": "ai_confidence", "summary": "ai_summary"}
    shown = [columns.get(name, name) for name in ours.list_display]
    options = {
        "list_display": [name for name in shown if name in names],
        "ordering": ours.ordering,
        "list_select_related": ours.list_select_related,
        "list_per_page": ours.list_per_page,
        "date_hierarchy": ours.date_hierarchy,
        "list_filter": [name for name in ("status", "rule_type") if name in names],
        "search_fields": [name for name in ("caller_number", "call_sid") if name in names],
    }
    return type("StockAdmin", (admin.ModelAdmin,), options)(ours.model, ours.admin_site)


def open_list(model_admin: Any, query: str, user: Any) -> tuple[float, int]:
    """Milliseconds and queries of one page; infinite milliseconds when it did not come."""
    request: Any = RequestFactory().get(f"/admin/?{query}")
    request.user, request.session = user, {}
    request._messages = FallbackStorage(request)
    with CaptureQueriesContext(connection) as queries:
        began = time.perf_counter()
        try:
            response = model_admin.changelist_view(request)
            assert response.status_code == 200, f"{query} led elsewhere"
            response.render()
        except OperationalError:
            return float("inf"), len(queries)
        return (time.perf_counter() - began) * 1000, len(queries)


def compare(
    title: str, ours: Any, our_query: str, stock_query: str, *, user: Any, rounds: int
) -> str:
    """A row of the table."""
    stock = stock_admin(ours)
    times: dict[str, list[float]] = {"ours": [], "stock": []}
    queries = {}
    for _ in range(rounds):
        for name, model_admin, query in (
            ("ours", ours, our_query),
            ("stock", stock, stock_query),
        ):
            taken, queries[name] = open_list(model_admin, query, user)
            times[name].append(taken)
    mine, theirs = (statistics.median(times[name]) for name in ("ours", "stock"))
    return (
        f"| {title} | {mine:,.0f} | {queries['ours']} | {theirs:,.0f} | {queries['stock']}"
        f" | {theirs / mine:,.1f} |"
    )


def rows(calls: int) -> Iterator[Row]:
    """The calls' list, on the database of the environment, which has so many of bench.data."""
    django.setup()
    from django.contrib import admin
    from django.contrib.auth.models import User

    from calls.models import Call
    from tenants.scoping import all_tenants

    user = User(is_superuser=True, is_staff=True, is_active=True, username="bench")
    pages = {
        "ours": admin.site._registry[Call],
        "stock": stock_admin(admin.site._registry[Call]),
    }
    with all_tenants("benchmark of the admin's lists"):
        call = Call.objects.order_by("-created_at")[1000]
        known = (call.created_at, call.caller_number[1:], calls // pages["ours"].list_per_page)
        for title, *queries in [("first page", "", ""), *QUESTIONS]:
            asked = [query.format(*known) for query in queries]
            times: dict[str, list[float]] = {name: [] for name in pages}
            for turn in range(ROUNDS + 1):
                for (name, page), query in zip(pages.items(), asked, strict=True):
                    taken, _ = open_list(page, query, user)
                    if turn:  # the first one warms up
                        times[name].append(taken / 1000)
            yield Row(
                work=f"admin's calls, {title}",
                peer="stock ModelAdmin",
                ours=in_milliseconds(times["ours"]),
                theirs=in_milliseconds(times["stock"]),
                ratio=median_ratio(times["stock"], times["ours"]),
                target=">= 20" if title == "first page" else "",
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds

    from django.contrib import admin
    from django.contrib.auth.models import User

    from calls.models import Call
    from tenants.backoffice.counting import RowCount, estimate
    from tenants.backoffice.modeladmin import BackofficeAdmin
    from tenants.scoping import all_tenants

    # A key, by which nobody has saved views.
    user = User(pk=0, is_superuser=True, is_staff=True, is_active=True, username="bench")
    with all_tenants("benchmark of the admin's lists"), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{PATIENCE}s"])
        print("| list | ours, ms | queries | stock, ms | queries | times as fast |")
        print("|---|---|---|---|---|---|")
        for model, ours in admin.site._registry.items():
            if isinstance(ours, BackofficeAdmin):
                rows = RowCount(estimate(model._base_manager.all()), "about")
                title = f"{model._meta.verbose_name_plural} ({rows})"
                print(compare(title, ours, "", "", user=user, rounds=rounds), flush=True)
        call = Call.objects.order_by("-created_at")[1000]
        for title, *queries in QUESTIONS:
            asked = [
                query.format(call.created_at, call.caller_number[1:], 20_000) for query in queries
            ]
            ours = admin.site._registry[Call]
            print(compare(f"calls, {title}", ours, *asked, user=user, rounds=rounds), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "replytics.settings")
    django.setup()
    main()
