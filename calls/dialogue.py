"""A transcript as the turns of a conversation."""

import re
from dataclasses import dataclass

# Speakers at the start of a line; other words before a colon are part of the text.
AGENT = ("agent", "ai", "assistant", "receptionist", "bot")
CALLER = ("caller", "customer", "user")
_TURN = re.compile(rf"\s*({'|'.join((*AGENT, *CALLER))})\s*:\s?", re.IGNORECASE)


@dataclass(frozen=True)
class Turn:
    """What one side said until the other began; `speaker` as the transcript names it."""

    speaker: str
    is_caller: bool
    text: str


def turns(transcript: str | None) -> list[Turn]:
    """The turns in order; empty for a text that does not start with one, which is prose."""
    found: list[Turn] = []
    for line in (transcript or "").splitlines():
        begun = _TURN.match(line)
        if begun:
            name = begun[1]
            found.append(Turn(name, name.lower() in CALLER, line[begun.end() :]))
        elif found:
            last = found[-1]
            found[-1] = Turn(last.speaker, last.is_caller, f"{last.text}\n{line}")
        elif line.strip():
            return []
    return found
