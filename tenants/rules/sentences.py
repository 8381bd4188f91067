"""A conversation rule as a plain sentence, as staff read it before they save it."""

from collections.abc import Callable, Mapping
from typing import Any

from database import exact_json

DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

Phrase = Callable[[Any], str]


def _any_of(value: Any) -> str:
    values = [str(each) for each in value] if isinstance(value, list) else [str(value)]
    return " or ".join(filter(None, [", ".join(values[:-1]), values[-1] if values else ""]))


def _quoted(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return _any_of([f"“{each}”" for each in values])


def _days(value: Any) -> str:
    days = value if isinstance(value, list) else [value]
    return _any_of(
        [DAYS[day] if isinstance(day, int) and 0 <= day < len(DAYS) else day for day in days]
    )


def _between(value: Any) -> str:
    ends = value if isinstance(value, dict) else {}
    return " ".join(f"{end} {ends[end]}" for end in ("from", "to") if end in ends)


def _either(yes: str, no: str) -> Phrase:
    return lambda value: yes if value else no


CONDITIONS: dict[str, Phrase] = {
    "first_time_caller": _either("the caller is new", "the caller has called before"),
    "asks_for_person": _either(
        "the caller asks for a person", "the caller does not ask for a person"
    ),
    "outside_business_hours": _either("the business is closed", "the business is open"),
    "urgency": lambda value: f"the urgency is {value}",
    "sentiment": lambda value: f"the caller sounds {value}",
    "intent": lambda value: f"the caller's intent is {_any_of(value)}",
    "keywords": lambda value: f"the caller says {_quoted(value)}",
    "language": lambda value: f"the caller speaks {_any_of(value)}",
    "caller_prefix": lambda value: f"the caller's number begins with {_any_of(value)}",
    "day_of_week": lambda value: f"it is {_days(value)}",
    "date": lambda value: f"the date is {_between(value)}",
    "time_of_day": lambda value: f"the time is {_between(value)}",
    "any": lambda value: f"any of these holds: {_joined(value, '; or ')}",
    "not": lambda value: f"it is not the case that {_when(value)}",
}
WAYS_TO_CONFIRM = {"none": "confirm nothing", "sms": "confirm by SMS"}
WITHOUT_ANSWER = {"take_message": "take a message", "hang_up": "hang up"}
ACTIONS: dict[str, Phrase] = {
    "say": lambda value: f"say {_quoted(value)}",
    "language": lambda value: f"speak {value}",
    "take_message": _either("take a message", "take no message"),
    "offer_booking": _either("offer to book", "offer no booking"),
    "calendar": lambda value: f"book in the calendar {_quoted(value)}",
    "department": lambda value: f"route to {value}",
    "confirm_by": lambda value: WAYS_TO_CONFIRM.get(str(value), f"confirm by {value}"),
    "page": lambda value: f"page {value}",
    "repeat_minutes": lambda value: f"repeat every {value} minutes",
    "transfer_to": lambda value: f"transfer to {value}",
    "after_seconds": lambda value: f"after {value} seconds",
    "else": lambda value: f"if nobody answers, {WITHOUT_ANSWER.get(str(value), value)}",
}


def sentence(*, conditions: Any, actions: Any) -> str:
    """Such as: When the caller is new: say “Welcome”. Unknown keys are shown as JSON."""
    what = _phrases(actions, ACTIONS)
    does = ", ".join(what) if what else "nothing yet"
    return f"{'Always' if not conditions else f'When {_when(conditions)}'}: {does}."


def _when(conditions: Any) -> str:
    return " and ".join(_phrases(conditions, CONDITIONS)) or "anything happens"


def _joined(parts: Any, by: str) -> str:
    return by.join(_when(part) for part in parts) if isinstance(parts, list) else str(parts)


def _phrases(part: Any, phrases: Mapping[str, Phrase]) -> list[str]:
    if not isinstance(part, dict):
        return [exact_json.dumps(part)]
    # In the order of the phrases, since jsonb has its own order of keys.
    known = [phrase(part[name]) for name, phrase in phrases.items() if name in part]
    other = [f"{name} is {exact_json.dumps(part[name])}" for name in part if name not in phrases]
    return known + other
