"""Compares Twilio's list of calls with ours and fills in what lost callbacks left out.

The list is of Call resources, https://www.twilio.com/docs/voice/api/call-resource, fetched from
Twilio or in a file of any format that import_calls reads.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from itertools import count
from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.db import DataError, IntegrityError, connection
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient

from calls.bulk_changes import bulk_change
from calls.intake.imports.file_legs import LegCounts, keeping_legs
from calls.intake.imports.formats import Source
from calls.intake.imports.leg_rows import Leg, as_parameter
from calls.intake.imports.line_directory import all_lines
from calls.intake.imports.record_fields import Rejected, call_sid_of
from calls.intake.imports.rejects import RejectsFile
from calls.intake.imports.row_reader import RowReader
from calls.intake.imports.rows import Row
from calls.intake.imports.streams import Records, UnreadableFile
from calls.intake.imports.times import TimeReader
from calls.intake.models import EventKind, EventOutcome
from calls.intake.sids import CALL_SID
from calls.intake.webhooks.inbox import classify
from calls.intake.webhooks.signers import Signer
from database.errors import is_value_error
from tenancy import tenant
from tenants.addresses import UNKNOWN

PAGE_SIZE = 1000  # calls; Twilio's maximum
TIMEOUT = 30  # seconds
PROGRESS_ROWS = 100  # rows between updates of the progress bar

# Like an event, but the inbox keeps only what changed a call: a list repeats what is known.
RECONCILE = """
WITH applied AS MATERIALIZED (
    SELECT app.apply_call_event(%(call_sid)s, %(parsed)s) AS outcome
), kept AS (
    INSERT INTO call_events (phone_id, call_sid, kind, payload, parsed, reason, outcome)
    SELECT %(phone_id)s, %(call_sid)s, %(kind)s, %(payload)s, %(parsed)s, %(reason)s, outcome
    FROM applied WHERE outcome = 'applied'
)
SELECT outcome FROM applied
"""


class CannotReconcile(UnreadableFile):
    """The list cannot be fetched; the message says what to do."""


def reconcile_calls(
    source: Source,
    rejects: RejectsFile,
    *,
    now: datetime,
    local: tzinfo | None = None,
    legs: LegCounts,
    progress: Callable[[], None] = lambda: None,
) -> Counter[str]:
    """Apply each call of a list; returns the number of calls for each outcome.

    legs gets the results of its legs. "applied" means that something was filled in. A record that
    cannot be applied counts as "rejected" and goes to rejects with the reason. Times without a
    zone are in `local`, or in UTC. Raises UnreadableFile where a file cannot be read further.
    """
    lines = all_lines("reconcile_calls")
    reader = RowReader(lines=lines, times=TimeReader(now=now, local=local))
    counts: Counter[str] = Counter()
    with (
        bulk_change(lambda: counts["applied"] or legs.recorded),
        keeping_legs(legs, kept=[EventOutcome.WAITING, EventOutcome.APPLIED]) as file_legs,
    ):
        for number, record in source.records:
            try:
                row = reader.read(number, record)
                _require_provider_sid(row.call_sid)
                if isinstance(row, Leg):
                    _require_provider_sid(row.leg_sid)
                    file_legs.add([row])
                    continue
                # The reader sets metadata only for Twilio's outbound calls.
                outbound = "sid" in record and row.has_metadata()
                parameters = _as_callback(row, lines.number_of[row.phone_id], outbound=outbound)
                counts[_reconcile(row.phone_id, parameters, now)] += 1
            except Rejected as reason:
                counts["rejected"] += 1
                rejects.add(number, call_sid_of(record), str(reason))
            if counts.total() % PROGRESS_ROWS == 0:
                progress()
    progress()
    return counts


def _require_provider_sid(sid: str) -> None:
    if not CALL_SID.fullmatch(sid):
        raise Rejected("not a call SID of Twilio: expected CA followed by 32 hexadecimal digits")


def _reconcile(phone_id: str, parameters: Mapping[str, str], now: datetime) -> str:
    signer = Signer(phone_id, ())
    event = classify(EventKind.RECONCILED, parameters, signer, received_at=now)
    if event.outcome is not None:
        raise Rejected(f"{event.reason} Correct it")
    with tenant(phone_id), connection.cursor() as cursor:
        try:
            cursor.execute(RECONCILE, event.values())
        except (DataError, IntegrityError) as error:
            if isinstance(error, DataError) and not is_value_error(error):
                raise
            raise Rejected(f"rejected by PostgreSQL: {type(error.__cause__).__name__}") from None
        [outcome] = cursor.fetchone()
    return str(outcome)


def _as_callback(row: Row, number: str, *, outbound: bool) -> dict[str, str]:
    """A call of a list as the parameters of an event, which the inbox stores and replays."""
    caller, line = ("To", "From") if outbound else ("From", "To")
    parameters = {
        "CallSid": row.call_sid,
        "CallStatus": row.provider_status or row.status,
        "CallDuration": str(row.duration),
        "Direction": "outbound-api" if outbound else "inbound",
        line: number,
        "StartTime": as_parameter(row.created_at),
    }
    if row.caller_number != UNKNOWN:
        parameters[caller] = row.caller_number
    if row.recording_url:
        parameters["RecordingUrl"] = row.recording_url
    return parameters


def fetch_from_twilio(*, since: datetime) -> Source:
    """The account's calls that began on or after the day of `since`.

    Iterating over the records fetches page by page and raises CannotReconcile.
    """
    return Source(
        name="Twilio",
        file_format="twilio-json",
        records=_fetch_calls(since),
        size=None,
        position=lambda: 0,
    )


def _fetch_calls(since: datetime) -> Records:
    numbers = count(1)
    account = settings.TWILIO_ACCOUNT_SID
    if not account or not settings.TWILIO_AUTH_TOKEN:
        raise CannotReconcile(
            "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to fetch calls from Twilio."
        )
    query = urlencode(
        {"PageSize": PAGE_SIZE, "StartTime>": f"{since - timedelta(days=1):%Y-%m-%d}"}
    )
    path = f"/2010-04-01/Accounts/{account}/Calls.json?{query}"
    client = TwilioHttpClient(timeout=TIMEOUT, max_retries=2)
    while path:
        # Only the path is taken from the answer, so that the token is sent to no other host.
        page = _fetch(client, urljoin(settings.TWILIO_API_URL, path), account)
        for call in page["calls"]:
            yield next(numbers), call
        path = page.get("next_page_uri") or ""


def _fetch(client: TwilioHttpClient, url: str, account: str) -> dict[str, Any]:
    try:
        answer = client.request("GET", url, auth=(account, settings.TWILIO_AUTH_TOKEN[0]))
    except (OSError, TwilioException) as error:
        raise CannotReconcile(f"Twilio cannot be reached: {type(error).__name__}.") from None
    if answer.status_code in (401, 403):
        raise CannotReconcile("Twilio rejected TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.")
    try:
        page = json.loads(answer.text)
        if answer.ok and isinstance(page["calls"], list):
            return dict(page)
    except (ValueError, KeyError, TypeError):
        pass
    raise CannotReconcile(f"Twilio answered with status {answer.status_code}; try again later.")
