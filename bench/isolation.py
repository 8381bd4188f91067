"""What tenant isolation costs: each query with it, without it, and through policies alone.

    python -m bench.isolation [--calls 50000]

With: our ORM in a tenant scope as replytics_web, so the statement that carries the scope, the
ORM's filter and the policy. Without: the same rows by a hand-written filter, on a login that
bypasses every policy and a connection that carries no scope. Plain RLS: the hand-written query
under the policies, on a connection whose session has the line.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bench.alone import run_alone
from bench.connections import add_unguarded, set_up_django
from bench.rows import Row, in_milliseconds
from bench.timing import by_turns, median_ratio

ROUNDS = 21
LINES = {"biggest": "pn_0", "middle": "pn_250"}
PEERS = {"bypassing": "without isolation", "plain": "plain RLS"}


class Query(NamedTuple):
    ours: Callable[[], Any]
    theirs: Callable[[str], Any]  # on the connection of that name
    bound: float  # of ours over the one without isolation


def rows(calls: int) -> Iterator[Row]:
    """On the database of the environment, which has so many calls of bench.data."""
    set_up_django()
    from tenancy import tenant

    for alias in PEERS:
        add_unguarded(alias)
    for size, line in LINES.items():
        with add_unguarded("plain").cursor() as cursor:
            cursor.execute("SELECT set_config('app.phone_id', %s, false)", [line])
        with tenant(line):
            for name, query in queries(line).items():
                yield from compare(f"{name}, {size} line", query)


def queries(line: str) -> dict[str, Query]:
    from django.contrib.postgres.search import SearchQuery
    from django.db.models import Count, QuerySet

    from calls.models import Call, CallMetadata, CallSearch

    # Each call builds its queryset, as a request does.
    scoped = Call.objects

    def plain(alias: str) -> Any:
        return QuerySet(Call, using=alias).filter(phone_id=line)

    def of(alias: str, model: Any, **condition: Any) -> Any:
        found: Any = QuerySet(model, using=alias).filter(phone_id=line, **condition)
        return plain(alias).filter(id__in=found.values("call_id"))

    def said(alias: str, text: str) -> Any:
        words = SearchQuery(text, config="app.words", search_type="websearch")
        return of(alias, CallSearch, document=words)

    def tagged(alias: str, tag: str) -> Any:
        return of(alias, CallMetadata, tags__contains=[tag])

    def counted(found: Any) -> Any:
        return found.order_by().values_list("status").annotate(n=Count("id"))

    return {
        "latest 20": Query(lambda: scoped.all()[:20], lambda on: plain(on)[:20], 1.15),
        "count by status": Query(
            lambda: counted(scoped.all()), lambda on: counted(plain(on)), 1.15
        ),
        "caller prefix": Query(
            lambda: scoped.filter(caller_number__prefix="+141")[:20],
            lambda on: plain(on).filter(caller_number__prefix="+141")[:20],
            1.15,
        ),
        "rare tag": Query(
            lambda: scoped.search(all_tags=["complaint"], limit=20)[:20],
            lambda on: tagged(on, "complaint")[:20],
            1.5,
        ),
        "common tag": Query(
            lambda: scoped.search(all_tags=["returning"], limit=20)[:20],
            lambda on: tagged(on, "returning")[:20],
            1.5,
        ),
        "metadata": Query(
            lambda: scoped.search(metadata={"campaign": 7}, limit=20)[:20],
            lambda on: of(on, CallMetadata, metadata__contains={"campaign": 7})[:20],
            1.5,
        ),
        "rare word": Query(
            lambda: scoped.search(words="w20000", limit=20)[:20],
            lambda on: said(on, "w20000")[:20],
            1.5,
        ),
        "common word": Query(
            lambda: scoped.search(words="w20", limit=20)[:20],
            lambda on: said(on, "w20")[:20],
            1.5,
        ),
        "tag and status": Query(
            lambda: scoped.search(all_tags=["vip"]).filter(status="completed")[:20],
            lambda on: tagged(on, "vip").filter(status="completed")[:20],
            1.5,
        ),
    }


def compare(work: str, query: Query) -> Iterator[Row]:
    found = sorted(map(str, query.ours()))
    for alias, peer in PEERS.items():
        if found != sorted(map(str, query.theirs(alias))):
            raise SystemExit(f"{work} finds other rows {peer}")
    acts: dict[str, Callable[[], object]] = {"ours": lambda: list(query.ours())}
    for alias in PEERS:
        acts[alias] = lambda alias=alias: list(query.theirs(alias))  # type: ignore[misc]
    taken = by_turns(acts, rounds=ROUNDS)
    for alias, peer in PEERS.items():
        yield Row(
            work=work,
            peer=peer,
            ours=in_milliseconds(taken["ours"]),
            theirs=in_milliseconds(taken[alias]),
            ratio=median_ratio(taken["ours"], taken[alias]),
            target=f"<= {query.bound}" if alias == "bypassing" else "",
        )


if __name__ == "__main__":
    run_alone("isolation", rows, __doc__)
