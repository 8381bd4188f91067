"""Each condition of a rule as a subject and what is said of it: the caller, wants to book."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf.locale import LANG_INFO

from database import exact_json

DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
CALLER = "the caller"
# By what an intent begins with when it is something to do; other intents are subjects.
_VERBS = """
accept add apply arrange ask attend book bring buy call cancel change chat check claim
collect come complain confirm contact delete deliver discuss dispute donate end enquire
enroll enter exchange extend file find fix get give go have hear hire inquire install join
know learn lease leave make meet modify move negotiate offer open order park pay pick
place postpone purchase quit reach receive refill refund register renew rent repair
replace report request reschedule reserve return schedule see sell send set sign speak
start stop submit subscribe switch talk track transfer try unsubscribe update upgrade use
verify visit withdraw
"""
VERBS = frozenset(_VERBS.split())
# By what an intent ends with when it is someone: a new customer.
_PEOPLE = """
applicant buyer caller client customer guest lead member partner patient prospect salesperson
supplier tenant vendor visitor
"""
PEOPLE = frozenset(_PEOPLE.split())


@dataclass(frozen=True)
class Phrase:
    """`verbs` are joined by "or": the caller / wants to book, reschedule."""

    subject: str
    verbs: tuple[str, ...]


def joined(items: list[str], word: str) -> str:
    """Such as: a, b or c. With a comma before the last, where an item has an "or" or "and"."""
    if len(items) < 2:
        return "".join(items)
    is_nested = any(f" {each} " in item for item in items for each in ("or", "and"))
    return f"{', '.join(items[:-1])}{',' if is_nested else ''} {word} {items[-1]}"


def phrase_of(name: str, value: Any, *, is_negated: bool = False) -> Phrase:
    """Of one condition other than any and not. A value that it cannot have is shown as JSON."""
    make = PHRASES.get(name)
    try:
        if make is not None:
            return make(value, is_negated)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        pass
    no = "not " if is_negated else ""
    return Phrase(name, (f"is {no}{exact_json.dumps(value)}",))


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise TypeError
    return [str(each) for each in value]


def _either(subject: str, yes: str, no: str) -> Callable[[Any, bool], Phrase]:
    return lambda value, negated: Phrase(subject, (yes if bool(value) != negated else no,))


def _one(subject: str, verb: str, negative: str) -> Callable[[Any, bool], Phrase]:
    return lambda value, negated: Phrase(subject, (f"{negative if negated else verb} {value}",))


def _listed(
    subject: str, verb: str, negative: str, words: Callable[[Any], list[str]] = _texts
) -> Callable[[Any, bool], Phrase]:
    """The verb stands before the first; a negative one before all of them."""

    def make(value: Any, negated: bool) -> Phrase:
        first, *rest = words(value)
        if negated:
            return Phrase(subject, (f"{negative} {joined([first, *rest], 'or')}",))
        return Phrase(subject, (f"{verb} {first}", *rest))

    return make


def _quoted(value: Any) -> list[str]:
    return [f"“{each}”" for each in _texts(value)]


def _intent(value: Any, negated: bool) -> Phrase:
    """What the caller wants to do, is, or calls about."""
    does: list[str] = []
    people: list[str] = []
    about: list[str] = []
    for text in _texts(value):
        words = text.replace("_", " ").replace("-", " ").split()
        intent = " ".join(words)
        if words and words[0].lower() in VERBS:
            does.append(intent)
        elif words and words[-1].lower() in PEOPLE:
            people.append(f"{'an' if intent[0].lower() in 'aeiou' else 'a'} {intent}")
        else:
            about.append(intent or text)
    if negated:
        parts = [
            f"{verb} {joined(intents, 'or')}"
            for verb, intents in (
                ("does not want to", does),
                ("does not call about", about),
                ("is not", people),
            )
            if intents
        ]
        return Phrase(CALLER, (joined(parts, "and"),))
    return Phrase(
        CALLER, (*_led("wants to", does), *_led("calls about", about), *_led("is", people))
    )


def _led(verb: str, words: list[str]) -> Iterator[str]:
    for number, word in enumerate(words):
        yield word if number else f"{verb} {word}"


def _languages(value: Any) -> list[str]:
    return [_language(tag) for tag in _texts(value)]


def _language(tag: str) -> str:
    known: Any = LANG_INFO
    if name := known.get(tag.lower(), {}).get("name"):
        return str(name)
    name = known.get(tag.split("-")[0], {}).get("name")
    return f"{name} ({tag})" if name else tag


def _days(value: Any) -> list[str]:
    """From Monday; three days or more that follow each other are Monday to Wednesday."""
    if any(isinstance(day, bool) or DAYS[day] is None or day < 0 for day in value):
        raise ValueError
    # Monday is 0 here.
    runs: list[list[int]] = []
    for day in sorted({(int(day) + 6) % 7 for day in value}):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [text for run in runs for text in _run([DAYS[(day + 1) % 7] for day in run])]


def _run(days: list[str]) -> list[str]:
    return [f"{days[0]} to {days[-1]}"] if len(days) > 2 else days


def _date(value: Any, negated: bool) -> Phrase:
    first, last = value.get("from"), value.get("to")
    if first and last:
        between = _day(first) if first == last else f"from {_day(first)} to {_day(last)}"
        text = f"is not {between}" if negated else f"is {between}"
    elif first:
        text = f"is before {_day(first)}" if negated else f"is {_day(first)} or later"
    else:
        text = f"is after {_day(last)}" if negated else f"is {_day(last)} or earlier"
    return Phrase("the date", (text,))


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {day:%B} {day.year}"


def _time(value: Any, negated: bool) -> Phrase:
    opens, closes = value["from"], value["to"]
    if opens == closes:
        return Phrase("the time", ("is never" if negated else "is any time of day",))
    no = "not " if negated else ""
    night = " of the next day" if opens > closes else ""
    return Phrase("the time", (f"is {no}from {opens} to {closes}{night}",))


# In the order in which a sentence has them: what is about the caller stays together.
PHRASES: dict[str, Callable[[Any, bool], Phrase]] = {
    "first_time_caller": _either(CALLER, "is a new customer", "has called before"),
    "asks_for_person": _either(CALLER, "asks for a person", "does not ask for a person"),
    "intent": _intent,
    "keywords": _listed(CALLER, "says", "does not say", _quoted),
    "sentiment": _one(CALLER, "sounds", "does not sound"),
    "language": _listed(CALLER, "speaks", "does not speak", _languages),
    "caller_prefix": _listed(
        CALLER,
        "calls from a number that begins with",
        "calls from a number that does not begin with",
    ),
    "urgency": _one("the urgency", "is", "is not"),
    "outside_business_hours": _either("the business", "is closed", "is open"),
    "day_of_week": _listed("it", "is", "is not", _days),
    "date": _date,
    "time_of_day": _time,
}
