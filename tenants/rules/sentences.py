"""A conversation rule as a plain sentence, as its owner would say it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from database import exact_json
from tenants.rules.phrases import PHRASES, Phrase, joined, phrase_of

OPPOSITE = {"and": "or", "or": "and"}


@dataclass(frozen=True)
class _Group:
    """Conditions of which all ("and") or one ("or") must hold."""

    word: str
    parts: tuple["_Group | Phrase", ...]


def sentence(*, conditions: Any, actions: Any) -> str:
    """Such as: When the caller is a new customer: say “Hi”. Unknown keys are shown as JSON."""
    return f"{opening(conditions)}: {doing(actions)}."


def opening(conditions: Any) -> str:
    """Such as: When the caller wants to book. Always, where there is no condition."""
    tree = _tree(conditions)
    if isinstance(tree, _Group) and not tree.parts:
        return "Always" if tree.word == "and" else "Never"
    return f"When {_text(tree)}"


def condition(conditions: Any) -> str:
    """Such as: the caller wants to book, reschedule or is a new customer."""
    tree = _tree(conditions)
    if isinstance(tree, _Group) and not tree.parts:
        return "anything happens" if tree.word == "and" else "nothing happens"
    return _text(tree)


def doing(actions: Any) -> str:
    """Such as: transfer to +14155550100 after 20 seconds and take a message if nobody answers."""
    if not isinstance(actions, dict):
        return exact_json.dumps(actions)
    texts: list[str] = []
    for name, phrase in ACTIONS.items():
        if name not in actions:
            continue
        text = phrase(actions[name])
        if MODIFIED.get(name) in actions:
            texts[-1] = f"{texts[-1]} {text}"
        else:
            texts.append(text)
    unknown = [name for name in actions if name not in ACTIONS]
    texts += [f"{name} is {exact_json.dumps(actions[name])}" for name in unknown]
    return joined(texts, "and") or "nothing yet"


def _tree(conditions: Any, *, is_negated: bool = False) -> _Group | Phrase:
    """Negation stands at the single conditions: not (a and b) is not a, or not b."""
    if not isinstance(conditions, dict):
        no = "not " if is_negated else ""
        return Phrase("it", (f"is {no}{exact_json.dumps(conditions)}",))
    parts: list[_Group | Phrase] = []
    # jsonb has an order of keys of its own.
    unknown = [name for name in conditions if name not in CONDITIONS]
    for name in [*PHRASES, *unknown, *NESTED]:
        if name not in conditions:
            continue
        value = conditions[name]
        if name == "not":
            parts.append(_tree(value, is_negated=not is_negated))
        elif name == "any" and isinstance(value, list):
            word = "and" if is_negated else "or"
            parts.append(_group(word, [_tree(part, is_negated=is_negated) for part in value]))
        else:
            parts.append(phrase_of(name, value, is_negated=is_negated))
    return _group("or" if is_negated else "and", parts)


def _group(word: str, parts: list[_Group | Phrase]) -> _Group | Phrase:
    """A group in one of the same word is part of it; of an empty one nothing is left to say."""
    flat: list[_Group | Phrase] = []
    for part in parts:
        if isinstance(part, _Group) and not part.parts and part.word != word:
            return part  # one that is always true among "or", never true among "and"
        flat.extend(part.parts if isinstance(part, _Group) and part.word == word else [part])
    return flat[0] if len(flat) == 1 else _Group(word, tuple(flat))


def _text(tree: _Group | Phrase) -> str:
    if isinstance(tree, Phrase):
        return f"{tree.subject} {joined(list(tree.verbs), 'or')}"
    runs = [
        list(run)
        for _, run in groupby(
            tree.parts, lambda part: part.subject if isinstance(part, Phrase) else id(part)
        )
    ]
    return joined([_run_text(run, tree.word) for run in runs], tree.word)


def _run_text(run: list[_Group | Phrase], word: str) -> str:
    """Of a group, or of phrases of one subject, which stands once before all their verbs."""
    if isinstance(run[0], _Group):
        return _inner(run[0])
    phrases = [part for part in run if isinstance(part, Phrase)]
    verbs = [verb for part in phrases for verb in _verbs(part, word)]
    return f"{phrases[0].subject} {joined(verbs, word)}"


def _verbs(phrase: Phrase, word: str) -> list[str]:
    return list(phrase.verbs) if word == "or" else [joined(list(phrase.verbs), "or")]


def _inner(group: _Group) -> str:
    """A group inside of one of the other word, so that the two cannot be confused."""
    text = _text(group)
    phrases = [part for part in group.parts if isinstance(part, Phrase)]
    is_plain = len(phrases) == len(group.parts)
    if is_plain and group.word == "or":
        return f"either {text}"
    if is_plain and len(phrases) == 2 and not any(len(each.verbs) > 1 for each in phrases):
        return f"both {text}" if phrases[0].subject != phrases[1].subject else _both(phrases)
    return f"({text})"


def _both(phrases: list[Phrase]) -> str:
    first, second = (each.verbs[0] for each in phrases)
    return f"{phrases[0].subject} both {first} and {second}"


NESTED = ("any", "not")
WAYS_TO_CONFIRM = {"none": "confirm nothing", "sms": "confirm by SMS"}
WITHOUT_ANSWER = {"take_message": "take a message", "hang_up": "hang up"}
CONDITIONS: Mapping[str, Callable[[Any], str]] = {
    name: partial(lambda name, value: condition({name: value}), name)
    for name in (*PHRASES, *NESTED)
}


def _either(yes: str, no: str) -> Callable[[Any], str]:
    return lambda value: yes if value else no


ACTIONS: dict[str, Callable[[Any], str]] = {
    "language": lambda value: f"speak {value}",
    "say": lambda value: f"say “{value}”",
    "take_message": _either("take a message", "take no message"),
    "offer_booking": _either("offer to book", "offer no booking"),
    "calendar": lambda value: f"book in the calendar “{value}”",
    "department": lambda value: f"route to {value}",
    "confirm_by": lambda value: WAYS_TO_CONFIRM.get(str(value), f"confirm by {value}"),
    "page": lambda value: f"page {value}",
    "repeat_minutes": lambda value: f"every {value} minutes",
    "transfer_to": lambda value: f"transfer to {value}",
    "after_seconds": lambda value: f"after {value} seconds",
    "else": lambda value: f"{WITHOUT_ANSWER.get(str(value), value)} if nobody answers",
}
# Actions that tell more about another one, which stands before them.
MODIFIED = {"repeat_minutes": "page", "after_seconds": "transfer_to"}
