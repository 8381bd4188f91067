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


@dataclass(frozen=True, kw_only=True)
class Situation:
    """`wall_time` is what the line's clock shows, as an integer of decisions.zones."""

    facts: Facts
    is_open: bool | None
    wall_time: int

    @cached_property
    def known(self) -> Mapping[str, Any]:
        """The facts that are known; a withheld caller is."""
        return {
            name: fact for name, fact in self.facts.items() if fact is not None or name == "caller"
        }

    @cached_property
    def text(self) -> str:
        """What the caller said, folded."""
        return fold(self.known["said"])

    @property
    def day(self) -> int:
        return self.wall_time // DAY

    @property
    def weekday(self) -> int:
        return weekday(self.day)

    @property
    def time_of_day(self) -> int:
        """Microseconds since midnight on the clock's face."""
        return self.wall_time % DAY
