"""What a draft of rules or opening hours would have changed for past calls; writes nothing."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID

from django.core import signing
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import documented
from api.errors import Invalid
from api.permissions import KeyScope
from api.rendering import JSONRenderer, ProblemRenderer, to_json
from api.serializer_fields import InstantOrDayField, StrictSerializer
from api.views import MAX_RESPONSE_TIME, LineView
from calls.transfers import failing_targets
from database.statement_context import answered_within
from decisions.api.backtest_answers import (
    EXAMPLE,
    BacktestAnswerSerializer,
    counts_as_json,
    moment,
    results_as_json,
)
from decisions.api.drafts import (
    DraftHoursSerializer,
    DraftIntervalSerializer,
    DraftRuleSerializer,
    DraftSpecialDaySerializer,
    stored_rows,
    with_hours,
    with_rules,
)
from decisions.api.refusals import refuse_unreadable_rules
from decisions.backtest import Backtest
from decisions.comparison import Comparison, PastCall
from decisions.conflicts import conflicts
from decisions.past_facts import past_calls
from decisions.stored_settings import StoredSettings, settings_of
from decisions.zones import DAY, Zone, to_datetime, to_day
from tenancy.request_scope import stream
from tenants.models import PhoneNumber

DEFAULT_SPAN, MAX_SPAN = timedelta(days=30), timedelta(days=400)
MAX_RULES, MAX_INTERVALS, MAX_SPECIAL_DAYS = 1000, 140, 1000
MAX_LIMIT = 200  # results of one answer
# Calls that one answer compares: a second's work. All of a longer range come as a stream.
MAX_CALLS = 20_000
CHUNK = 2_000  # calls between two looks at how far it is
LINES = "application/x-ndjson"
signer = signing.Signer(salt="decisions.api.backtest")


class LinesRenderer(JSONRenderer):
    """One JSON object a line (https://github.com/ndjson/ndjson-spec)."""

    media_type = LINES


class BacktestSerializer(StrictSerializer):
    """What drafts have in common."""

    since = InstantOrDayField(
        required=False, help_text="Default: 30 days before `until`. At most 400 days."
    )
    until = InstantOrDayField(required=False, help_text="Not included. Default: now.")
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=50)
    cursor = serializers.CharField(required=False, help_text="`next` of the answer before.")


class RulesBacktestSerializer(BacktestSerializer):
    """All rules that the line would have."""

    rules = DraftRuleSerializer(many=True, max_length=MAX_RULES)  # type: ignore[call-arg]


class HoursBacktestSerializer(BacktestSerializer):
    """Each list has all rows that its table would have; one that is left out stays as it is."""

    business_hours = DraftHoursSerializer(
        many=True,
        required=False,
        max_length=7,  # type: ignore[call-arg]
    )
    business_hours_intervals = DraftIntervalSerializer(
        many=True,
        required=False,
        max_length=MAX_INTERVALS,  # type: ignore[call-arg]
    )
    special_days = DraftSpecialDaySerializer(
        many=True,
        required=False,
        max_length=MAX_SPECIAL_DAYS,  # type: ignore[call-arg]
    )


@dataclass(frozen=True)
class Asked:
    """A request that was read: what is compared, for which calls, and from where on."""

    line: str
    stored: StoredSettings
    draft: Mapping[str, Any]
    comparison: Comparison
    since: datetime
    until: datetime
    limit: int
    digest: str
    after: tuple[datetime, UUID] | None

    def calls(self) -> Iterator[PastCall]:
        return past_calls(
            self.line,
            since=self.since,
            until=self.until,
            facts=self.comparison.facts,
            after=self.after,
        )

    def cursor(self, call: PastCall) -> str:
        """Where the list goes on after a call."""
        moments = (self.since, self.until, call.created_at)
        return signer.sign_object(
            [self.digest, self.line, *(each.isoformat() for each in moments), str(call.id)]
        )


class BacktestView(LineView):
    """Takes today's settings and the draft to each past call, and lists those that differ."""

    scopes = {"POST": KeyScope.READ}
    largest_body = 1_000_000
    renderer_classes = [JSONRenderer, LinesRenderer, ProblemRenderer]
    serializer: ClassVar[type[BacktestSerializer]]

    def draft(self, document: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        raise NotImplementedError

    def answer(self, request: Request) -> HttpResponseBase:
        asked = self._read(request)
        if request.accepted_renderer.media_type == LINES:
            if asked.after is not None:
                raise _wrong("cursor", "A stream compares all calls. Leave the cursor out.")
            lines = stream(streamed(asked, _conflicts(asked)))
            headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            return StreamingHttpResponse(lines, content_type=LINES, headers=headers)
        return Response(page(asked))

    def _read(self, request: Request) -> Asked:
        line: str = request.auth.phone_id  # type: ignore[union-attr]
        stored = settings_of(line)
        assert stored is not None  # the credentials go with their line
        rows = stored_rows(stored.document, line)
        body = self.serializer(data=request.data, context=rows)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        limit, cursor = given.pop("limit"), given.pop("cursor", None)
        draft = self.draft(stored.document, given)
        bound = to_json([stored.version, draft, given.get("since"), given.get("until")])
        digest = hashlib.sha256(bound).hexdigest()[:16]
        if cursor is None:
            since, until = _span(given, Zone(stored.document["timezone"]), timezone.now())
            after = None
        else:
            since, until, after = _after(cursor, digest, line)
        with refuse_unreadable_rules(stored.document):
            comparison = Comparison(stored.document, draft)
        return Asked(
            line=line,
            stored=stored,
            draft=draft,
            comparison=comparison,
            since=since,
            until=until,
            limit=limit,
            digest=digest,
            after=after,
        )


DOCUMENTED = {
    (200, JSONRenderer.media_type): OpenApiResponse(
        BacktestAnswerSerializer, examples=[OpenApiExample("One call changes", EXAMPLE)]
    ),
    (200, LINES): OpenApiResponse(
        {"type": "string"},
        description="Lines of JSON: `progress` with the calls compared so far, while they are;"
        " then a `call` for each of the first results; last `summary`, as the JSON answer without"
        " its results. A stream without a summary was cut off.",
        examples=[
            OpenApiExample(
                "Two lines",
                '{"type":"progress","calls":2000}\n{"type":"summary"}\n',
                media_type=LINES,
            )
        ],
    ),
}


class ConversationRulesBacktest(BacktestView):
    """How many past calls a draft of the line's rules would have decided otherwise, and which.

    Nothing is written. The newest 20,000 calls of the range are counted; with
    `Accept: application/x-ndjson` all are, in a stream with progress.
    """

    serializer = RulesBacktestSerializer

    def draft(self, document: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        return with_rules(document, given["rules"])

    @documented(
        DOCUMENTED,  # type: ignore[arg-type]
        request=RulesBacktestSerializer,
        refusals=[409],
        operation_id="conversation_rules_backtest",
    )
    def post(self, request: Request) -> HttpResponseBase:
        return self.answer(request)


class BusinessHoursBacktest(BacktestView):
    """How many past calls a draft of the opening hours would have decided otherwise, and which.

    Nothing is written. The newest 20,000 calls of the range are counted; with
    `Accept: application/x-ndjson` all are, in a stream with progress.
    """

    serializer = HoursBacktestSerializer

    def draft(self, document: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        return with_hours(document, given)

    @documented(
        DOCUMENTED,  # type: ignore[arg-type]
        request=HoursBacktestSerializer,
        refusals=[409],
        operation_id="business_hours_backtest",
    )
    def post(self, request: Request) -> HttpResponseBase:
        return self.answer(request)


def page(asked: Asked) -> dict[str, Any]:
    """The first one has the counts; the next ones go on with the list alone."""
    is_first = asked.after is None
    calls = asked.calls()
    compared = Backtest(asked.comparison, limit=asked.limit)
    while compared.counts.total < MAX_CALLS and (is_first or not compared.has_more):
        chunk = list(islice(calls, min(CHUNK, MAX_CALLS - compared.counts.total)))
        if not chunk:
            break
        compared.add(chunk)
    is_complete = next(calls, None) is None
    return {
        **_about(asked),
        "counts": counts_as_json(compared, is_complete=is_complete) if is_first else None,
        "conflicts": _conflicts(asked) if is_first else None,
        "results": results_as_json(asked.comparison, compared),
        "next": _next(asked, compared, is_complete=is_complete),
    }


def streamed(asked: Asked, found: list[dict[str, Any]]) -> Iterator[bytes]:
    """All calls; each chunk of them is bounded as a request is. Ends when nobody reads on."""
    calls = asked.calls()
    compared = Backtest(asked.comparison, limit=asked.limit)
    while True:
        with answered_within(MAX_RESPONSE_TIME):
            chunk = list(islice(calls, CHUNK))
        if not chunk:
            break
        compared.add(chunk)
        yield _line("progress", calls=compared.counts.total)
    for result in results_as_json(asked.comparison, compared):
        yield _line("call", **result)
    yield _line(
        "summary",
        **_about(asked),
        counts=counts_as_json(compared, is_complete=True),
        conflicts=found,
        next=_next(asked, compared, is_complete=True),
    )


def _line(kind: str, **members: Any) -> bytes:
    return to_json({"type": kind, **members}) + b"\n"


def _about(asked: Asked) -> dict[str, Any]:
    return {
        "since": moment(asked.since),
        "until": moment(asked.until),
        "settings_version": asked.stored.version,
    }


def _next(asked: Asked, compared: Backtest, *, is_complete: bool) -> str | None:
    if compared.has_more:
        return asked.cursor(compared.changed[-1].call)
    if is_complete or compared.last is None:
        return None
    return asked.cursor(compared.last)


def _conflicts(asked: Asked) -> list[dict[str, Any]]:
    now = timezone.now()
    found = conflicts(
        asked.draft,
        number=PhoneNumber.objects.values_list("number", flat=True).get(pk=asked.line),
        now=now,
        failing=failing_targets(asked.line, now=now),
    )
    return [
        {
            "code": conflict.code,
            "sentence": conflict.sentence,
            "rules": [str(rule) for rule in conflict.rules],
        }
        for conflict in found
    ]


def _span(given: Mapping[str, Any], zone: Zone, now: datetime) -> tuple[datetime, datetime]:
    until = _instant(given.get("until", now), zone, "until")
    try:
        since = _instant(given.get("since", until - DEFAULT_SPAN), zone, "since")
    except OverflowError:
        raise _wrong("until", "Expected a moment of the years 1 to 9999.") from None
    if since >= until:
        raise _wrong("since", "Expected a moment before `until`.")
    if until - since > MAX_SPAN:
        raise _wrong("since", f"Expected at most {MAX_SPAN.days} days before `until`.")
    return since, until


def _instant(value: Any, zone: Zone, name: str) -> datetime:
    """A day is its beginning on the line's clock."""
    if isinstance(value, datetime):
        return value
    began = to_datetime(zone.opening(to_day(value) * DAY))
    if began is None:
        raise _wrong(name, "Expected a day of the years 1 to 9999.")
    return began


def _after(
    cursor: str, digest: str, line: str
) -> tuple[datetime, datetime, tuple[datetime, UUID]]:
    try:
        of_draft, of_line, *moments, last_id = signer.unsign_object(cursor)
    except (signing.BadSignature, ValueError):
        raise _wrong("cursor", "Invalid cursor: send `next` unchanged.") from None
    if (of_draft, of_line) != (digest, line):
        raise _wrong(
            "cursor",
            "This cursor belongs to another draft, range or version of the line's settings. Start"
            " without a cursor.",
        )
    since, until, at = map(datetime.fromisoformat, moments)
    return since, until, (at, UUID(last_id))


def _wrong(name: str, detail: str) -> Invalid:
    return Invalid([{"pointer": f"#/{name}", "detail": detail}])
