"""JSON Schemas of the conditions and actions of each rule type, in the files beside."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, validators

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


RuleValidator: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@cache
def _validator(rule_type: str) -> Any:
    return RuleValidator(schema_of(rule_type))


def rule_errors(
    rule_type: str, *, conditions: Mapping[str, Any], actions: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Path (such as conditions/intent/0) and message of each error, in document order."""
    rule = {"conditions": conditions, "actions": actions}
    for error in sorted(
        _validator(rule_type).iter_errors(rule), key=lambda e: list(map(str, e.path))
    ):
        path = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in error.path)
        yield path, error.message[:300]
