"""The form of a conversation rule: a field for each condition and action of its JSON Schema.

Field names, which stay as they are: `phone`, `rule_type`, `priority`, `is_active`; `when_<name>`
of each condition, `<type>_<name>` of each action of a type; `when_more` and `then_more`, the
others as JSON. `when_date` and `when_time_of_day` are two inputs each, with `_from` and `_to` at
the end.
"""

import copy
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from backoffice.form_fields import JSONObjectField
from tenants.models import ConversationRule
from tenants.rule_fields import field_of
from tenants.rules import PARTS, TYPES, definitions, schema_of

# Fields for the conditions and actions that have no field of their own, such as any and not.
MORE_CONDITIONS, MORE_ACTIONS = "when_more", "then_more"


@cache
def _properties(part: str, rule_type: str) -> dict[str, dict[str, Any]]:
    schema: dict[str, Any] = schema_of(rule_type)["properties"][part]
    if part == "conditions":
        schema = definitions()["conditions"]
    return dict(schema["properties"])


def condition_fields() -> Iterator[tuple[str, str, forms.Field]]:
    """Name in the form, name in the conditions, field."""
    for name, schema in _properties("conditions", TYPES[0]).items():
        if field := field_of(name, schema):
            yield f"when_{name}", name, field


def action_fields(rule_type: str) -> Iterator[tuple[str, str, forms.Field]]:
    """Name in the form, name in the actions, field."""
    for name, schema in _properties("actions", rule_type).items():
        if field := field_of(name, schema):
            yield f"{rule_type}_{name}", name, field


def fieldsets() -> list[Any]:
    """The conditions, and the actions of each type: rules.js shows those of the chosen one."""
    conditions = [name for name, _, _ in condition_fields()]
    return [
        ("When all of these hold", {"fields": [*conditions, MORE_CONDITIONS]}),
        *(
            (
                f"Then (rules of type {rule_type})",
                {
                    "fields": [name for name, _, _ in action_fields(rule_type)],
                    "classes": [f"rule-actions-{rule_type}"],
                },
            )
            for rule_type in TYPES
        ),
        ("Other actions", {"fields": [MORE_ACTIONS], "classes": ["rule-more"]}),
    ]


class _RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ConversationRule
        fields = ["phone", "rule_type", "priority", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        shown = list(condition_fields())
        self._show("conditions", rule.conditions, shown, MORE_CONDITIONS)
        then = list(action_fields(rule.rule_type)) if rule.rule_type in TYPES else []
        self._show("actions", rule.actions, then, MORE_ACTIONS)

    def _show(
        self, part: str, stored: Any, shown: list[tuple[str, str, forms.Field]], more: str
    ) -> None:
        """Show values in their fields and the rest as JSON, so that nothing stored is lost."""
        rest = dict(stored) if isinstance(stored, dict) else {}
        for field, name, _ in shown:
            schema = _properties(part, self.instance.rule_type or TYPES[0])[name]
            fits = Draft202012Validator(
                schema | {"$defs": definitions()}, format_checker=FormatChecker(["date"])
            )
            if name in rest and fits.is_valid(rest[name]):
                self.initial.setdefault(field, rest.pop(name))
        self.initial.setdefault(more, rest)

    def parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Conditions and actions, as far as the form is valid."""
        data = getattr(self, "cleaned_data", {})
        rule_type = data.get("rule_type") or TYPES[0]
        return (
            self._cleaned_part(list(condition_fields()), MORE_CONDITIONS),
            self._cleaned_part(list(action_fields(rule_type)), MORE_ACTIONS),
        )

    def _cleaned_part(
        self, fields: list[tuple[str, str, forms.Field]], more: str
    ) -> dict[str, Any]:
        data = self.cleaned_data
        given = {
            name: data[field] for field, name, _ in fields if data.get(field) not in (None, "")
        }
        return (data.get(more) or {}) | given

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        rule_type = data.get("rule_type")
        if rule_type not in TYPES:
            return data
        self.instance.conditions, self.instance.actions = self.parts()
        self._require(rule_type, self.instance.actions)
        return data

    def _require(self, rule_type: str, actions: dict[str, Any]) -> None:
        """Marks the field of each action that the type must have."""
        schema = schema_of(rule_type)["properties"]["actions"]
        missing = [name for name in schema.get("required", []) if name not in actions]
        for name in missing:
            self.add_error(f"{rule_type}_{name}", "Required for this type of rule.")
        if "minProperties" in schema and not actions:
            self.add_error(None, "Fill in at least one action.")
        self.lacks_actions = bool(missing or not actions)

    def add_error(self, field: str | None, error: Any) -> None:
        """Puts the model's errors of conditions and actions on the fields that show them."""
        parts = getattr(error, "error_dict", {})
        for fault in [each for part in PARTS for each in parts.pop(part, [])]:
            if (shown := self._field_of(fault.code)) is not None:
                super().add_error(shown, fault)
        if parts or not hasattr(error, "error_dict"):
            super().add_error(field, error)

    def _field_of(self, path: str) -> str | None:
        """The field that shows a fault; None when another error stands on its field already."""
        rule_type = self.instance.rule_type
        fields = {f"conditions/{name}": field for field, name, _ in condition_fields()}
        fields |= {f"actions/{name}": field for field, name, _ in action_fields(rule_type)}
        if path == "actions" and self.lacks_actions:
            return None
        more = MORE_ACTIONS if path.startswith("actions") else MORE_CONDITIONS
        return fields.get("/".join(path.split("/")[:2]), more)


def _declared() -> dict[str, forms.Field]:
    fields = {field: made for field, _, made in condition_fields()}
    for rule_type in TYPES:
        fields |= {field: made for field, _, made in action_fields(rule_type)}
    fields[MORE_CONDITIONS] = JSONObjectField(
        required=False,
        label="Other conditions",
        help_text='As JSON, such as {"any": [{"urgency": "high"}, {"not": {…}}]}.',
    )
    fields[MORE_ACTIONS] = JSONObjectField(
        required=False,
        label="Other actions",
        help_text="As JSON, for actions without a field above.",
    )
    return fields


RuleForm = type("RuleForm", (_RuleForm,), _declared())


def rule_document(data: Any, rule: ConversationRule) -> dict[str, Any] | None:
    """The row that saving the submitted form would leave, as JSON has it; None if it is refused.

    rule is the stored one, or a new one of its line. It stays as it is, and nothing is saved.
    Needs a scope, since a transfer may name one of the line's places.
    """
    form: Any = RuleForm(data, instance=copy.copy(rule))
    form.fields.pop("phone")
    if not form.is_valid():
        return None
    row = form.instance
    is_stored = isinstance(row.created_at, datetime)
    return {
        "id": str(row.pk),
        "rule_type": row.rule_type,
        "conditions": row.conditions,
        "actions": row.actions,
        "priority": row.priority,
        "is_active": row.is_active,
        "created_at": (row.created_at if is_stored else timezone.now()).isoformat(),
    }
