"""JSON Schemas of the conditions and actions of each rule type, in the files beside."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema import ValidationError as SchemaError

FOLDER = Path(__file__).parent
PARTS = ("conditions", "actions")
TYPES = ("greeting", "routing", "transfer", "hours")


def definitions() -> dict[str, Any]:
    """The definitions of the conditions, by the names used in references."""
    conditions = json.loads((FOLDER / "conditions.json").read_text())
    return dict(conditions["$defs"])


@cache
def schema_of(rule_type: str) -> dict[str, Any]:
    """One schema for {conditions, actions}; the vocabulary of conditions is the same for all."""
    conditions = json.loads((FOLDER / "conditions.json").read_text())
    actions = json.loads((FOLDER / f"{rule_type}.json").read_text())
    definitions = conditions.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A rule of type {rule_type}",
        "type": "object",
        "properties": {"conditions": conditions, "actions": actions},
        "required": [*PARTS],
        "$defs": definitions,
    }


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of every type, as published."""
    return {rule_type: schema_of(rule_type) for rule_type in TYPES}


def _is_integer(checker: Any, value: Any) -> bool:
    """24.0 is an integer too in JSON Schema; it comes as a Decimal, to be kept exactly."""
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(_: Any, pattern: str, value: Any, schema: Any) -> Iterator[SchemaError]:
    """Our patterns are of whole texts; Python's $ would leave room for a line break."""
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield SchemaError(f"{value!r} does not match {pattern!r}")


RuleValidator: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


class InvalidRule(ValidationError):
    """A rule's conditions or actions are refused: `faults` has path and message of each."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        self.faults = faults
        parts: dict[str, list[ValidationError]] = {}
        for path, message in faults:
            error = ValidationError(f"{path}: {message}", code=path)
            parts.setdefault(path.partition("/")[0], []).append(error)
        super().__init__(parts)


@cache
def _validator(rule_type: str) -> Any:
    return RuleValidator(schema_of(rule_type), format_checker=FormatChecker(["date"]))


def rule_errors(rule_type: str, *, conditions: Any, actions: Any) -> Iterator[tuple[str, str]]:
    """Path (such as conditions/intent/0) and message of each error, in document order."""
    rule = {"conditions": conditions, "actions": actions}
    try:
        errors = list(_validator(rule_type).iter_errors(rule))
    except RecursionError:
        yield "conditions", "is nested too deeply. Write it with fewer levels."
        return
    errors.sort(key=lambda error: list(map(str, error.path)))
    for error in errors:
        path = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in error.path)
        yield path, _message(error)
    if not errors:
        yield from _reversed_dates(conditions, "conditions")


def _message(error: Any) -> str:
    """What is wrong, and what would be right where that does not say it."""
    message = str(error.message[:300])
    if error.validator == "additionalProperties":
        return f"{message}. Allowed: {', '.join(error.schema['properties'])}."
    if error.validator in ("pattern", "format") and "examples" in error.schema:
        return f"{message}. Write it like {error.schema['examples'][0]}."
    return message


def _reversed_dates(conditions: Any, path: str) -> Iterator[tuple[str, str]]:
    """What a schema cannot state: from is not after to."""
    dates = conditions.get("date", {})
    if dates.get("from", "") > dates.get("to", "9999-12-31"):
        yield f"{path}/date", "'from' is after 'to'. Exchange the two dates."
    for number, part in enumerate(conditions.get("any", [])):
        yield from _reversed_dates(part, f"{path}/any/{number}")
    if "not" in conditions:
        yield from _reversed_dates(conditions["not"], f"{path}/not")
