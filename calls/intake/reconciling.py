"""Twilio's own list of calls against ours: what callbacks lost is filled in.

The list is the Call resource's: https://www.twilio.com/docs/voice/api/call-resource
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.db import DataError, IntegrityError, connection
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient

from calls.intake.events import read_address
from calls.intake.inbox import judge
from calls.intake.lines import Signer, find_signer
from calls.intake.models import EventKind, Verdict
from tenants.scoping import no_tenant, tenant

# Callback parameters and what the list calls them.
NAMES = {
    "CallSid": "sid",
    "AccountSid": "account_sid",
    "From": "from",
    "To": "to",
    "Direction": "direction",
    "CallStatus": "status",
    "CallDuration": "duration",
    "StartTime": "start_time",
}
PAGE = 1000  # calls; the most that Twilio gives
TIMEOUT = 30  # seconds

# Like an event, but the inbox keeps only what changed a call: a list repeats what is known.
RECONCILE = """
WITH outcome AS MATERIALIZED (
    SELECT app.apply_call_event(%(call_sid)s, %(reading)s) AS verdict
), kept AS (
    INSERT INTO call_events (phone_id, call_sid, kind, payload, reading, reason, verdict)
    SELECT %(phone_id)s, %(call_sid)s, %(kind)s, %(payload)s, %(reading)s, %(reason)s, verdict
    FROM outcome WHERE verdict = 'applied'
)
SELECT verdict FROM outcome
"""


class CannotReconcile(Exception):
    """The list cannot be had; the message says what to do."""


def reconcile_calls(records: Iterable[Mapping[str, Any]], *, now: datetime) -> Counter[str]:
    """Apply each call of a list; returns how many got which verdict ("applied" filled something).

    Records of the list are counted as malformed or unknown_line like events, and change nothing.
    """
    return Counter(_reconcile(record, now) for record in records)


def _reconcile(record: Mapping[str, Any], now: datetime) -> str:
    given = {ours: record.get(theirs) for ours, theirs in NAMES.items()}
    parameters = {name: str(value) for name, value in given.items() if value is not None}
    with no_tenant():
        found = find_signer(read_address(EventKind.RECONCILED, parameters))
    signer = Signer(found.phone_id, (), found.account_sid)
    event = judge(EventKind.RECONCILED, parameters, signer, received_at=now)
    if event.verdict is not None or event.phone_id is None:
        return str(event.verdict)
    with tenant(event.phone_id), connection.cursor() as cursor:
        try:
            cursor.execute(RECONCILE, event.values())
        except (DataError, IntegrityError):
            return str(Verdict.MALFORMED)
        [verdict] = cursor.fetchone()
    return str(verdict)


def read_list(text: str) -> Iterator[Mapping[str, Any]]:
    """The calls of a file: the resource's JSON, {"calls": […]}, or a bare list of calls."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise CannotReconcile("The file is no JSON; give Twilio's Calls list.") from None
    calls = document.get("calls") if isinstance(document, dict) else document
    if not isinstance(calls, list):
        raise CannotReconcile('The file has no list of calls; Twilio\'s has {"calls": […]}.')
    for call in calls:
        yield call if isinstance(call, dict) else {}


def fetch_list(*, since: datetime) -> Iterator[Mapping[str, Any]]:
    """The account's calls that began on or after the day of `since`, page by page."""
    account = settings.TWILIO_ACCOUNT_SID
    if not account or not settings.TWILIO_AUTH_TOKEN:
        raise CannotReconcile("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to ask Twilio.")
    query = urlencode({"PageSize": PAGE, "StartTime>": f"{since - timedelta(days=1):%Y-%m-%d}"})
    path = f"/2010-04-01/Accounts/{account}/Calls.json?{query}"
    client = TwilioHttpClient(timeout=TIMEOUT, max_retries=2)
    while path:
        # Only the path is taken from the answer: the token goes to no other host.
        page = _fetch(client, urljoin(settings.TWILIO_API_URL, path), account)
        yield from page["calls"]
        path = page.get("next_page_uri") or ""


def _fetch(client: TwilioHttpClient, url: str, account: str) -> dict[str, Any]:
    try:
        answer = client.request("GET", url, auth=(account, settings.TWILIO_AUTH_TOKEN[0]))
    except (OSError, TwilioException) as error:
        raise CannotReconcile(f"Twilio cannot be reached: {type(error).__name__}.") from None
    if answer.status_code in (401, 403):
        raise CannotReconcile("Twilio refuses TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN.")
    try:
        page = json.loads(answer.text)
        if answer.ok and isinstance(page["calls"], list):
            return dict(page)
    except (ValueError, KeyError, TypeError):
        pass
    raise CannotReconcile(f"Twilio answered with status {answer.status_code}; try again later.")
