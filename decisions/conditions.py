"""The conditions of a rule and their values, from the whole down to its smallest parts."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from database import exact_json
from decisions.situation import FACT_NAMES, Situation
from decisions.truth import Truth, all_of, any_of, negation
from decisions.vocabulary import FACTS, TESTS


class UnknownCondition(ValueError):
    """A rule has a condition that is not in the schema of rules."""

    def __init__(self, name: str) -> None:
        self.name = name
        names = ", ".join([*TESTS, "any", "not"])
        super().__init__(f"Unknown condition {name!r}: expected one of {names}.")


# A frozen one takes three times as long to make, and a decision makes many.
@dataclass(slots=True)
class Part:
    """An object of conditions, which is true if all of them are, and the value of each."""

    truth: Truth
    conditions: "Mapping[str, Value]"


@dataclass(slots=True)
class AnyValue:
    truth: Truth
    parts: Sequence[Part]


@dataclass(slots=True)
class NotValue:
    truth: Truth
    part: Part


Value = Truth | AnyValue | NotValue
EvaluatePart = Callable[[Situation], Part]


def prepare_conditions(conditions: Mapping[str, Any]) -> EvaluatePart:
    """A function that gives all conditions their values. Raises UnknownCondition."""
    prepared = [(name, _prepare(name, asked)) for name, asked in conditions.items()]

    def evaluate(situation: Situation) -> Part:
        values: dict[str, Value] = {}
        truths: list[Truth] = []
        for name, condition in prepared:
            value = values[name] = condition(situation)
            truths.append(value if isinstance(value, str) else value.truth)
        return Part(all_of(truths), values)

    return evaluate


def _prepare(name: str, asked: Any) -> Callable[[Situation], Value]:
    if name == "any":
        return _any([prepare_conditions(part) for part in asked])
    if name == "not":
        return _not(prepare_conditions(asked))
    if name not in TESTS:
        raise UnknownCondition(name)
    return TESTS[name](asked)


def _any(parts: Sequence[EvaluatePart]) -> Callable[[Situation], AnyValue]:
    def evaluate(situation: Situation) -> AnyValue:
        values = [part(situation) for part in parts]
        return AnyValue(any_of([value.truth for value in values]), values)

    return evaluate


def _not(part: EvaluatePart) -> Callable[[Situation], NotValue]:
    def evaluate(situation: Situation) -> NotValue:
        value = part(situation)
        return NotValue(negation(value.truth), value)

    return evaluate


def waits_for(part: Part) -> Iterator[str]:
    """The facts behind what is unknown, some of them more than once.

    A part that has a value waits for nothing, whatever is unknown within it.
    """
    if part.truth != "unknown":
        return
    for name, value in part.conditions.items():
        if isinstance(value, NotValue):
            yield from waits_for(value.part)
        elif isinstance(value, AnyValue):
            if value.truth == "unknown":
                for each in value.parts:
                    yield from waits_for(each)
        elif value == "unknown":
            yield FACTS.get(name, name)


def names_in(conditions: Mapping[str, Any]) -> Iterator[str]:
    """The names of all conditions, at every level; some of them more than once."""
    for name, asked in conditions.items():
        yield name
        if name == "any":
            for part in asked:
                yield from names_in(part)
        elif name == "not":
            yield from names_in(asked)


def facts_in(conditions: Mapping[str, Any]) -> set[str]:
    """The names of the facts that the conditions ask about."""
    return {FACTS.get(name, name) for name in names_in(conditions)} & FACT_NAMES


def as_texts(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The same conditions, of which each that has no parts is written as JSON."""
    texts: dict[str, Any] = {}
    for name, asked in conditions.items():
        if name == "any":
            texts[name] = [as_texts(part) for part in asked]
        elif name == "not":
            texts[name] = as_texts(asked)
        else:
            texts[name] = exact_json.dumps(asked, sort_keys=True)
    return texts


def unknown_part(texts: Mapping[str, Any], part: Part) -> Hashable:
    """What is left to be known of an unknown part; `texts` are its conditions by as_texts().

    Two of them are equal only if both turn out to be true, or both false, whatever the facts are.
    """
    return frozenset(_unknown_conditions(texts, part))


def _unknown_conditions(texts: Mapping[str, Any], part: Part) -> Iterator[Hashable]:
    for name, value in part.conditions.items():
        if isinstance(value, str):
            if value == "unknown":
                yield name, texts[name]
        elif value.truth != "unknown":
            continue
        elif isinstance(value, NotValue):
            yield name, unknown_part(texts[name], value.part)
        else:
            parts = zip(texts[name], value.parts, strict=True)
            unknown = (unknown_part(asked, of) for asked, of in parts if of.truth == "unknown")
            yield name, frozenset(unknown)
