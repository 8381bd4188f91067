"""What schemathesis is taught, beside the OpenAPI document: formats, and a check of its own.

Loaded by tests/fuzzing/test_api_fuzzing.py, which says in the environment what to look for.
"""

import json
import os
from typing import Any

import schemathesis
from hypothesis import strategies as st

from api.parsing import NOT_TEXT

BAKERY = os.environ["FUZZING_BAKERY"]
OF_THE_GARAGE = os.environ["FUZZING_OF_THE_GARAGE"].split()
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Argentina/Buenos_Aires"]

NUMBERS = ["+14155550123", "+493023125042", "(415) 555-0142"]

schemathesis.openapi.format("telephone-number", st.sampled_from(NUMBERS))
schemathesis.openapi.format("voice-name", st.sampled_from(["Alloy", "Echo", "Verse"]))
schemathesis.openapi.format("transfer-target", st.sampled_from(NUMBERS))
schemathesis.openapi.format("iana-time-zone", st.sampled_from(ZONES))
schemathesis.openapi.format(
    "json-object",
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.booleans(), min_size=1).map(
        json.dumps
    ),
)


@schemathesis.hook
def map_body(ctx: schemathesis.HookContext, body: Any) -> Any:
    """What a schema cannot state.

    What a business keeps of a call is of any shape, and all of it is text; the dates of a rule's
    conditions are in order; a caller is named in one place.
    """
    if not isinstance(body, dict):
        return body
    free = {"metadata", "custom_fields"}
    body = {name: _text(part) if name in free else part for name, part in body.items()}
    _order_dates(body.get("conditions"))
    if isinstance(body.get("facts"), dict) and "caller" in body:
        body["facts"].pop("caller", None)
    return body


def _order_dates(conditions: Any) -> None:
    if isinstance(conditions, list):
        for part in conditions:
            _order_dates(part)
    elif isinstance(conditions, dict):
        dates = conditions.get("date")
        if isinstance(dates, dict) and all(isinstance(day, str) for day in dates.values()):
            dates |= dict(zip(sorted(dates), sorted(dates.values()), strict=True))
        for name in ("any", "not"):
            _order_dates(conditions.get(name))


def _text(part: Any) -> Any:
    if isinstance(part, str):
        return NOT_TEXT.sub("", part)
    if isinstance(part, list):
        return [_text(inner) for inner in part]
    if isinstance(part, dict):
        return {_text(name): _text(inner) for name, inner in part.items()}
    return part


@schemathesis.check
def nothing_of_another_line(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """What the bakery is answered has nothing of the garage."""
    if response.request.headers.get("Authorization") != BAKERY:
        return
    # What was asked for may be quoted back; what was not known to the one who asked may not.
    known = f"{response.request.url} {response.request.body!r}"
    answered = f"{response.headers} {response.text}"
    leaked = [word for word in OF_THE_GARAGE if word in answered and word not in known]
    assert not leaked, f"the bakery was shown {leaked} of the garage"
