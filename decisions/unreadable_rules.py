"""Rules whose conditions no decision can read: SQL may store what the rules' schema refuses."""

from collections.abc import Mapping
from typing import Any

from tenants.rules import rule_errors


def unreadable_rules(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those of a line's settings as a document."""
    return [
        rule
        for rule in settings["conversation_rules"]
        if any(
            path.startswith("conditions")
            for path, _ in rule_errors(
                rule["rule_type"], conditions=rule["conditions"], actions=rule["actions"]
            )
        )
    ]
