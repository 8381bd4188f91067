"""What conditions are asked about: the facts of a call, and the line's clock and hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from decisions.words import fold
from decisions.zones import DAY, weekday

# caller (E.164), urgency, sentiment, intent, said (the text so far), language, first_time_caller
# and asks_for_person. One that is absent or None is unknown; but a caller of None is withheld.
Facts = Mapping[str, str | bool | None]
FACT_NAMES = frozenset(
    {
        "caller",
        "first_time_caller",
        "asks_for_person",
        "urgency",
        "sentiment",
        "intent",
        "said",
        "language",
    }
)


@dataclass(frozen=True, kw_only=True)
class Situation:
    """`known` has the facts that are known; `time_of_day` is in microseconds since midnight."""

    known: Mapping[str, Any]
    is_open: bool | None
    day: int
    weekday: int
    time_of_day: int

    @cached_property
    def text(self) -> str:
        """What the caller said, folded."""
        return fold(self.known["said"])

    @cached_property
    def intent(self) -> str:
        return fold(self.known["intent"])


def situation(*, facts: Facts, is_open: bool | None, wall_time: int) -> Situation:
    """`wall_time` is what the line's clock shows, as an integer of decisions.zones."""
    day, time_of_day = divmod(wall_time, DAY)
    return Situation(
        known={name: fact for name, fact in facts.items() if fact is not None or name == "caller"},
        is_open=is_open,
        day=day,
        weekday=weekday(day),
        time_of_day=time_of_day,
    )
