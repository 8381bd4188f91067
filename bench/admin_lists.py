"""The admin's lists: the calls beside a stock ModelAdmin, and what every list asks and takes.

    python -m bench.admin_lists [--calls 50000]

Whole requests of somebody who is logged in, over HTTP on loopback, by turns. The stock admin has
the same server, middleware, scope, columns and page size, and Django's own templates. Once it has
the same filters too, as far as Django has them (line, status, day, confidence); elsewhere it is
lean, with the one filter that costs no query: see bench.peers.stock_admin. Queries are counted in
this process, those of session and user included.
The other lists get rows beside those of bench.data: a list without any would show no query that
it sends for each of them.
"""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

from bench.alone import run_alone
from bench.connections import set_up_django
from bench.database import as_superuser, manage
from bench.rows import Row, in_milliseconds
from bench.serving import GUNICORN, serving
from bench.timing import by_turns, median_ratio

ROUNDS = 7
# Of what takes the stock admin many seconds.
FEW_ROUNDS = 3
SERVERS = {"ours": GUNICORN, "stock": (*GUNICORN, "bench.peers.stock_admin")}
LIST, LEAN = "/admin/calls/call/", "/admin/lean/calls/call/"
STOCK = "stock ModelAdmin"
# What is asked of the calls' list: our query string and the stock admin's, with a call's moment
# and caller and the number of the last page.
QUESTIONS = {
    "first page": ("", ""),
    "last page": ("before=end", "p={2}"),
    "status failed": ("status=failed", "status__exact=failed"),
    "one day": (
        "created_at__year={0:%Y}&created_at__month={0:%m}&created_at__day={0:%d}",
        "created_at__year={0:%Y}&created_at__month={0:%m}&created_at__day={0:%d}",
    ),
    "a caller": ("q={1}", "q={1}"),
    "nonsense": ("q=zzzzzz", "q=zzzzzz"),
}
MAX_QUERIES = "<= 15"

# Of each line its settings, week, rules, key and member; of the calls an archived copy of each
# tenth, an event of each fifth, a review of each hundredth; and the jobs of a week.
FILL = """
SET session_replication_role = replica;
INSERT INTO voice_settings (phone_id) SELECT id FROM phone_numbers;
INSERT INTO business_hours (phone_id, day_of_week, open_time, close_time)
SELECT id, day, '09:00', '17:00' FROM phone_numbers, generate_series(0, 6) AS day;
INSERT INTO conversation_rules (phone_id, rule_type, priority, conditions, actions)
SELECT id, 'greeting', priority, '{"first_time_caller": true}', '{"say": "Welcome!"}'
FROM phone_numbers, generate_series(1, 5) AS priority;
INSERT INTO memberships (phone_id, subject) SELECT id, 'user ' || id FROM phone_numbers;
INSERT INTO api_keys (phone_id, name, prefix, secret_hash, scopes)
SELECT id, 'dashboard', substr(md5(id), 1, 12), encode(sha256(id::bytea), 'hex'), '{read}'
FROM phone_numbers;
INSERT INTO telephony_credentials (phone_id, current_token) SELECT id, 'sealed' FROM phone_numbers;
SELECT app.create_archive_partitions(min(created_at), max(created_at)) FROM calls;
INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status, duration, transcript,
                           ai_summary, ai_confidence, created_at, updated_at, tags)
SELECT gen_random_uuid(), phone_id, caller_number, call_sid || 'a', status, duration, transcript,
       ai_summary, ai_confidence, created_at, updated_at, '{vip}'
FROM calls WHERE hashtext(call_sid) % 10 = 0;
INSERT INTO call_events (phone_id, call_sid, kind, payload, outcome, received_at)
SELECT phone_id, call_sid, 'voice', '{}', CASE duration % 50 WHEN 0 THEN 'malformed'
       ELSE 'applied' END, created_at
FROM calls WHERE hashtext(call_sid) % 5 = 0;
INSERT INTO call_reviews (phone_id, call_id, call_began, reviewed_by, reviewed_at)
SELECT phone_id, id, created_at, 'somebody', created_at + interval '1 day'
FROM calls WHERE hashtext(call_sid) % 100 = 0;
INSERT INTO procrastinate_jobs (queue_name, task_name, status)
SELECT 'default', 'analytics.tasks.roll_up_calls', 'succeeded' FROM generate_series(1, 10080);
INSERT INTO procrastinate_events (job_id, type, at)
SELECT id, 'succeeded', now() FROM procrastinate_jobs;
"""


def rows(calls: int) -> Iterator[Row]:
    """On a copy of the database of bench.data, which gets rows of the other lists and a login."""
    set_up_django(WEB_CONCURRENCY="1")
    from django.conf import settings

    with as_superuser() as database:
        database.execute(FILL)
        database.execute("VACUUM ANALYZE")
    name = settings.DATABASES["default"]["NAME"]
    manage(name, "refresh_summary")
    manage(name, "collectstatic", "--no-input", "--verbosity=0")
    client = logged_in()
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={_session(client)}"}
    with ExitStack() as started:
        ports = {
            name: started.enter_context(serving(*command, url=LIST, headers=headers))[1]
            for name, command in SERVERS.items()
        }
        known = _known(calls)

        def beside(
            title: str, query: str, stock: str, *, rounds: int, peer: str, target: str = ""
        ) -> Row:
            acts = {
                "ours": _opens(ports["ours"], f"{LIST}?{query.format(*known)}", headers),
                "stock": _opens(ports["stock"], stock.format(*known), headers),
            }
            taken = by_turns(acts, rounds=rounds)
            return Row(
                work=f"calls, {title}",
                peer=peer,
                ours=in_milliseconds(taken["ours"]),
                theirs=in_milliseconds(taken["stock"]),
                ratio=median_ratio(taken["stock"], taken["ours"]),
                target=target,
            )

        yield beside(
            "first page",
            "",
            LIST,
            rounds=ROUNDS,
            peer=f"{STOCK}, same filters",
            target=">= 20",
        )
        for title, (query, stock) in QUESTIONS.items():
            yield beside(title, query, f"{LEAN}?{stock}", rounds=FEW_ROUNDS, peer=f"{STOCK}, lean")
        for title, address in _lists().items():
            taken = by_turns({"ours": _opens(ports["ours"], address, headers)}, rounds=ROUNDS)
            queries_sent = _queries(client, address)
            yield Row(
                work=f"the list of {title}, its queries",
                peer="",
                ours=f"{queries_sent} queries, {in_milliseconds(taken['ours'])}",
                ratio=queries_sent,
                target=MAX_QUERIES,
            )


def logged_in() -> Any:
    """A test client of a superuser, who is made in the database unless there is one."""
    from django.contrib.auth.models import User
    from django.test import Client

    user = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def _session(client: Any) -> str:
    from django.conf import settings

    key: str = client.cookies[settings.SESSION_COOKIE_NAME].value
    return key


def _known(calls: int) -> tuple[Any, str, int]:
    """A call's moment and caller, and the number of the stock list's last page."""
    from calls.admin.calls import CallAdmin
    from calls.models import Call
    from tenancy import all_tenants

    with all_tenants("benchmark of the admin's lists"):
        call = Call.objects.order_by("-created_at")[1000]
        return call.created_at, call.caller_number[1:], calls // CallAdmin.list_per_page


def _lists() -> dict[str, str]:
    """Each list of ours and its address."""
    from django.contrib import admin
    from django.urls import reverse

    from backoffice.modeladmin import BackofficeAdmin

    return {
        str(model._meta.verbose_name_plural): reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        )
        for model, model_admin in admin.site._registry.items()
        if isinstance(model_admin, BackofficeAdmin)
    }


def _opens(port: int, path: str, headers: Mapping[str, str]) -> Callable[[], object]:
    """Raises AssertionError for an answer other than the page."""

    def read() -> bytes:
        # The server closes a connection that waits while the other one answers.
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            connection.request("GET", path, headers=dict(headers))
            response = connection.getresponse()
            page = response.read()
        assert response.status == http.HTTPStatus.OK, f"{path}: {response.status}"
        return page

    return read


def _queries(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as sent:
        response = client.get(path)
    assert response.status_code == http.HTTPStatus.OK, f"{path}: {response.status_code}"
    return len(sent)


if __name__ == "__main__":
    run_alone("admin_lists", rows, __doc__)
