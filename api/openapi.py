"""The OpenAPI document as exact as the API is strict."""

import json
from typing import Any

from drf_spectacular.openapi import AutoSchema

from api.parsing import NO_CONTROLS
from api.rendering import ProblemRenderer
from api.serializer_fields import NumberField, StrictSerializer
from tenants import rules

AT_COMPONENTS = "#/components/schemas/"


class StrictSchema(AutoSchema):
    """Says what StrictSerializer and StrictJSONParser refuse; what is no error is no problem.

    A serializer may have `examples`, one for a field, and be `sparse`: any field may be missing.
    """

    def map_renderers(self, attribute: str) -> list[Any]:
        found: list[Any] = super().map_renderers(attribute)
        return [name for name in found if name != ProblemRenderer.media_type]

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        shape = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if not type(serializer).__doc__:
            shape.pop("description", None)  # of the class that it inherits from
        for name, example in getattr(serializer, "examples", {}).items():
            shape["properties"][name]["examples"] = [example]
        if getattr(serializer, "sparse", False):
            shape.pop("required", None)
        if direction == "request":
            for field in serializer.fields.values():
                if isinstance(field, NumberField) and not field.read_only:
                    step = 10.0 ** -(field.decimal_places or 0)
                    shape["properties"][field.field_name]["multipleOf"] = step
            if isinstance(serializer, StrictSerializer):
                shape["additionalProperties"] = False
            say_what_is_text(shape)
        return shape


def say_what_is_text(shape: Any) -> None:
    """Add to each string in a schema, if it may be any, that it has no control characters."""
    if isinstance(shape, list):
        for inner in shape:
            say_what_is_text(inner)
    elif isinstance(shape, dict):
        kind = shape.get("type", "")
        if "string" in kind and not shape.keys() & {"enum", "const", "format", "pattern"}:
            shape["pattern"] = NO_CONTROLS
        for inner in shape.values():
            say_what_is_text(inner)


def add_shapes_of_rules(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: adds what the conditions and actions of rules look like."""
    shapes = result["components"]["schemas"]
    actions = _add_parts_of_rules(shapes)
    _refer_to_parts(shapes["ConversationRule"], actions)
    # That actions fit their type is known of a part only together with what stays.
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
        say_what_is_text(shapes[names[name]])
    references = {}
    for rule_type in rules.TYPES:
        name = f"{rule_type.title()}Actions"
        shapes[name] = json.loads(json.dumps(rules.schema_of(rule_type)["properties"]["actions"]))
        say_what_is_text(shapes[name])
        references[rule_type] = _reference(name)
    return references


def _refer_to_parts(rule: dict[str, Any], actions: dict[str, Any]) -> None:
    rule["properties"]["conditions"] = _reference("RuleConditions")
    rule["properties"]["actions"] = {"anyOf": list(actions.values())}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"{AT_COMPONENTS}{name}"}
