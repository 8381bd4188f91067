"""The generated rows of calls: callers, dialogues and outcomes."""

import json
import random
from bisect import bisect
from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from demo.arrivals import arrivals, shares_of_lines
from demo.businesses import Business, callers_of, person_of
from demo.dialogues import DAYS, FIRST_NAMES, INTENTS, LAST_NAMES, UNCLEAR, Intent

MAX_LIVE = 8
# Before `until`, at most: when a call that still rings began, when one that is answered began.
RINGING_SECONDS, ANSWERED_SECONDS = 20, 240
MAX_CALL_LENGTH = 2700  # seconds
FAILED_SHARE = 0.14
FAILURES = {"no-answer": 40, "busy": 30, "canceled": 22, "failed": 8}
# How the transfer to a person ends; one that is not answered rings for so many seconds.
TRANSFERS = {"completed": 75, "no-answer": 15, "busy": 10}
UNANSWERED_SECONDS = 20
# Most calls have a high confidence; the rest are for review.
DOUBTFUL_SHARE, DOUBTFUL, UNCLEAR_BELOW = 0.07, 0.65, 0.4

_INTENTS = list(accumulate(intent.weight for intent in INTENTS))
_FAILURES = list(accumulate(FAILURES.values()))
_FAILURE_WORDS = list(FAILURES)
_TRANSFERS = list(accumulate(TRANSFERS.values()))
_TRANSFER_WORDS = list(TRANSFERS)


class CallRow(NamedTuple):
    """A row of calls, and of call_metadata unless metadata is None; as COPY's text format has it.

    created_at and updated_at are seconds since 1970. legs and recordings are JSON arrays of the
    rows of call_legs and call_recordings, with times as seconds since 1970 too.
    """

    id: str
    phone_id: str
    caller_number: str
    call_sid: str
    status: str
    provider_status: str
    created_at: str
    updated_at: str
    duration: int = 0
    recording_url: str | None = None
    transcript: str | None = None
    ai_summary: str | None = None
    ai_confidence: str = "0.80"
    metadata: str | None = None
    tags: str | None = None
    custom_fields: str | None = None
    legs: str | None = None
    recordings: str | None = None


class Line:
    """A business and the people who call it: a few of them often, most of them once."""

    def __init__(self, business: Business, *, calls: int, salt: int) -> None:
        self.business = business
        self.speech = business.city.speech
        self.ranges = callers_of(business.city)
        self.people = min(max(20, calls * 2 // 5), sum(len(each) for each in self.ranges))
        self.salt = salt
        self.person = person_of(business.city)
        trade = business.trade
        self.days = [DAYS[self.speech][day] for day in trade.days_open if day < len(DAYS["en"])]
        self.closes = self._clock(trade.closes, 0)
        self.times = [
            self._clock(hour, minute)
            for hour in range(trade.opens, trade.closes)
            for minute in (0, 15, 30, 45)
        ]

    def _clock(self, hour: int, minute: int) -> str:
        if self.speech == "de":
            return f"{hour}:{minute:02}" if minute else f"{hour}"
        return f"{(hour - 1) % 12 + 1}:{minute:02} {'pm' if hour >= 12 else 'am'}"

    def caller(self, rng: random.Random) -> tuple[str, str, str]:
        """A caller_number, and the first and last name that always go with it."""
        person = int(self.people * rng.random() ** 2)
        mixed = person * 7919 + self.salt
        firsts, lasts = FIRST_NAMES[self.speech], LAST_NAMES[self.speech]
        first, last = firsts[mixed % len(firsts)], lasts[mixed // len(firsts) % len(lasts)]
        dice = rng.random()
        if dice < 0.02:
            return "anonymous", first, last
        if dice < 0.03:
            return f"client:customer-{person}", first, last
        if dice < 0.04:
            return f"sip:{100 + person % 900}@pbx.example.com", first, last
        place, n = divmod(person, len(self.ranges[0]))
        return self.ranges[place].number(n), first, last


def make_calls(
    *,
    businesses: list[Business],
    calls: int,
    since: datetime,
    until: datetime,
    rng: random.Random,
) -> Iterator[CallRow]:
    """Yield `calls` rows in the order of time; the last few are still going on at `until`."""
    shares = shares_of_lines(len(businesses))
    lines = [
        Line(business, calls=int(calls * share), salt=rng.getrandbits(20))
        for business, share in zip(businesses, shares, strict=True)
    ]
    account = f"AC{rng.getrandbits(128):032x}"
    latest = until.timestamp()
    live = min(MAX_LIVE, calls // 100)
    for began, n in arrivals(
        businesses=businesses,
        shares=shares,
        calls=calls - live,
        since=since,
        until=until,
        rng=rng,
    ):
        if rng.random() < FAILED_SHARE:
            yield _failed_call(lines[n], began, latest, rng)
        else:
            yield _completed_call(lines[n], began, latest, account, rng)
    for n in range(live):
        yield _live_call(rng.choice(lines), latest, ringing=n % 3 == 0, rng=rng)


def _ids(rng: random.Random) -> tuple[str, str]:
    """A version 4 UUID in hexadecimal and a call SID."""
    bits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(bits[16], 16) & 3]
    return f"{bits[:12]}4{bits[13:16]}{variant}{bits[17:]}", f"CA{rng.getrandbits(128):032x}"


def _failed_call(line: Line, began: float, latest: float, rng: random.Random) -> CallRow:
    uuid, sid = _ids(rng)
    rang = 2 + 28 * rng.random()
    began = min(began, latest - rang)
    return CallRow(
        id=uuid,
        phone_id=line.business.phone_id,
        caller_number=line.caller(rng)[0],
        call_sid=sid,
        status="failed",
        provider_status=_FAILURE_WORDS[bisect(_FAILURES, rng.random() * _FAILURES[-1])],
        created_at=f"{began:.3f}",
        updated_at=f"{began + rang:.3f}",
    )


def _live_call(line: Line, latest: float, *, ringing: bool, rng: random.Random) -> CallRow:
    uuid, sid = _ids(rng)
    if ringing:
        began = updated = latest - RINGING_SECONDS * rng.random()
    else:
        began = latest - RINGING_SECONDS - (ANSWERED_SECONDS - RINGING_SECONDS) * rng.random()
        updated = began + 4
    return CallRow(
        id=uuid,
        phone_id=line.business.phone_id,
        caller_number=line.caller(rng)[0],
        call_sid=sid,
        status="ringing" if ringing else "answered",
        provider_status="ringing" if ringing else "in-progress",
        created_at=f"{began:.3f}",
        updated_at=f"{updated:.3f}",
    )


def _completed_call(
    line: Line, began: float, latest: float, account: str, rng: random.Random
) -> CallRow:
    uuid, sid = _ids(rng)
    number, first, last = line.caller(rng)
    intent = INTENTS[bisect(_INTENTS, rng.random() * _INTENTS[-1])]
    confidence = _confidence(rng)
    values = _dialogue_values(line, first, last, rng)
    scripts = intent.scripts[line.speech]
    script = scripts[int(len(scripts) * rng.random())]
    if confidence < UNCLEAR_BELOW:
        script = UNCLEAR[line.speech]
    duration = min(4 + int(intent.seconds * rng.lognormvariate(0, intent.spread)), MAX_CALL_LENGTH)
    rang, wrote = 2 + 4 * rng.random(), 3 * rng.random()
    began = min(began, latest - rang - duration - wrote)
    answered = began + rang
    recordings, legs = [], []
    if rng.random() < 0.6:
        recordings.append(_recording("RecordVerb", answered, duration, account, rng))
    if intent.name == "transfer" and confidence >= UNCLEAR_BELOW:
        leg = _transfer(line, answered + duration // 3, duration - duration // 3, rng)
        legs.append(leg)
        if recordings and leg["duration"]:
            recordings.append(
                _recording("DialVerb", leg["started_at"], leg["duration"], account, rng)
            )
    metadata, tags, custom_fields = _annotations(line, intent, confidence, values, rng)
    return CallRow(
        id=uuid,
        phone_id=line.business.phone_id,
        caller_number=number,
        call_sid=sid,
        status="completed",
        provider_status="completed",
        created_at=f"{began:.3f}",
        updated_at=f"{began + rang + duration + wrote:.3f}",
        duration=duration,
        recording_url=recordings[-1]["url"] if recordings else None,
        transcript=f"Agent: {line.business.greeting}\n{script.turns.format_map(values)}",
        ai_summary=script.summary.format_map(values),
        ai_confidence=f"{confidence:.2f}",
        metadata=metadata,
        tags=tags,
        custom_fields=custom_fields,
        legs=json.dumps(legs),
        recordings=json.dumps(recordings),
    )


def _transfer(line: Line, began: float, seconds: int, rng: random.Random) -> dict[str, Any]:
    """A row of call_legs: a person is called, and talks for the rest of the call or does not."""
    status = _TRANSFER_WORDS[bisect(_TRANSFERS, rng.random() * _TRANSFERS[-1])]
    is_answered = status == "completed"
    return {
        "leg_sid": f"CA{rng.getrandbits(128):032x}",
        "direction": "outbound-dial",
        "to": line.person,
        "status": status,
        "duration": seconds if is_answered else None,
        "started_at": began,
        "ended_at": began + (seconds if is_answered else min(seconds, UNANSWERED_SECONDS)),
    }


def _recording(
    source: str, began: float, seconds: int, account: str, rng: random.Random
) -> dict[str, Any]:
    """A row of call_recordings."""
    sid = f"RE{rng.getrandbits(128):032x}"
    return {
        "recording_sid": sid,
        "url": f"https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}",
        "duration": seconds,
        "channels": 2,
        "source": source,
        "state": "completed",
        "started": began,
    }


def _confidence(rng: random.Random) -> float:
    if rng.random() < DOUBTFUL_SHARE:
        return 0.25 + (DOUBTFUL - 0.25) * rng.random()
    return min(0.99, max(DOUBTFUL, rng.gauss(0.91, 0.05)))


def _dialogue_values(line: Line, first: str, last: str, rng: random.Random) -> dict[str, str]:
    """The values of the dialogues' fields."""
    services = line.business.trade.services[line.speech]
    day = int(len(line.days) * rng.random())
    time = int(len(line.times) * rng.random())
    amount = 25 + 5 * int(60 * rng.random() ** 2)
    currency = line.business.city.currency
    return {
        "name": f"{first} {last}",
        "first": first,
        "service": services[int(len(services) * rng.random())],
        "place": line.business.trade.place[line.speech],
        "day": line.days[day],
        "other_day": line.days[day - 1],
        "time": line.times[time],
        "other_time": line.times[time - 3],
        "closes": line.closes,
        "price": f"{amount} {currency}" if line.speech == "de" else f"{currency}{amount}",
        "number": f"{2024000 + int(90000 * rng.random())}",
        "minutes": f"{15 + 5 * int(10 * rng.random())}",
    }


def _annotations(
    line: Line, intent: Intent, confidence: float, values: dict[str, str], rng: random.Random
) -> tuple[str, str, str]:
    """metadata, tags and custom_fields."""
    metadata = {
        "intent": intent.name if confidence >= UNCLEAR_BELOW else "unclear",
        "language": line.business.city.language,
        "sentiment": intent.sentiment,
        "answer_ms": 300 + int(1200 * rng.random() ** 2),
    }
    tags = intent.tags
    fields = intent.fields
    if confidence < UNCLEAR_BELOW:
        tags, fields = ("unclear", "callback"), ()
    if confidence < DOUBTFUL:
        tags = (*tags, "needs-review")
    return (
        json.dumps(metadata, ensure_ascii=False),
        f"{{{','.join(tags)}}}",
        json.dumps({name: values[name] for name in fields}, ensure_ascii=False),
    )
