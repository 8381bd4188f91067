"""What an answer makes the AI do: the actions of the winners, the voice and the greeting."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tenants.models import VoiceSettings

VOICE = ("voice_model", "voice_name", "speech_speed", "language", "greeting_message")


def with_actions(decisions: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The decisions of an answer as JSON, each with the actions of its winner, or null.

    A transfer also has the number that the line's named place has by these settings.
    """
    rules = {rule["id"]: rule for rule in settings["conversation_rules"]}
    decided: dict[str, Any] = {}
    for rule_type, decision in decisions.items():
        actions = decision["winner"] and rules[decision["winner"]]["actions"]
        decided[rule_type] = {**decision, "actions": actions}
    target = (decided["transfer"]["actions"] or {}).get("transfer_to")
    decided["transfer"]["transfer_number"] = settings["transfer_places"].get(target, target)
    return decided


def voice_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The line's voice settings; the defaults, until it has some."""
    voice = settings["voice_settings"]
    if voice is None:
        defaults = VoiceSettings()
        voice = {name: getattr(defaults, name) for name in VOICE}
    speed = Decimal(voice["speech_speed"])
    number = int(speed) if speed == int(speed) else float(speed)
    return {name: voice[name] for name in VOICE} | {"speech_speed": number}


def greeting_of(decided: Mapping[str, Any], voice: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the AI shall say first, and in which language; None where the line has no text."""
    actions = decided["greeting"]["actions"] or {}
    say = actions.get("say", voice["greeting_message"])
    return {"say": say, "language": actions.get("language", voice["language"])} if say else None
