"""The conditions and actions of rules in the OpenAPI document."""

import json
from typing import Any

from api.openapi import exclude_control_characters
from tenants import rules

AT_COMPONENTS = "#/components/schemas/"


def add_shapes_of_rules(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: adds the schemas of conditions and actions of rules."""
    shapes = result["components"]["schemas"]
    actions = _add_parts_of_rules(shapes)
    _refer_to_parts(shapes["ConversationRule"], actions)
    # In a partial update, actions can only be checked against the stored rule type.
    _refer_to_parts(shapes["PatchedConversationRuleRequest"], actions)
    whole = shapes["ConversationRuleRequest"]
    _refer_to_parts(whole, actions)
    names = []
    for rule_type, reference in actions.items():
        own = {"rule_type": {"type": "string", "const": rule_type}, "actions": reference}
        names.append(f"{rule_type.title()}RuleRequest")
        shapes[names[-1]] = whole | {"properties": whole["properties"] | own}
    shapes["ConversationRuleRequest"] = {"oneOf": [_reference(name) for name in names]}
    result["components"]["schemas"] = dict(sorted(shapes.items()))
    return result


def _add_parts_of_rules(shapes: dict[str, Any]) -> dict[str, Any]:
    """Returns a reference to the actions of each type of rule."""
    names = {name: f"Rule{name.title()}" for name in rules.definitions()}
    for name, definition in rules.definitions().items():
        text = json.dumps(definition)
        for old, new in names.items():
            text = text.replace(f'"#/$defs/{old}"', f'"{AT_COMPONENTS}{new}"')
        shapes[names[name]] = json.loads(text)
        exclude_control_characters(shapes[names[name]])
    references = {}
    for rule_type in rules.TYPES:
        name = f"{rule_type.title()}Actions"
        shapes[name] = json.loads(json.dumps(rules.schema_of(rule_type)["properties"]["actions"]))
        exclude_control_characters(shapes[name])
        references[rule_type] = _reference(name)
    return references


def _refer_to_parts(rule: dict[str, Any], actions: dict[str, Any]) -> None:
    rule["properties"]["conditions"] = _reference("RuleConditions")
    rule["properties"]["actions"] = {"anyOf": list(actions.values())}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"{AT_COMPONENTS}{name}"}
