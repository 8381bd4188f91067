"""The lines of an import, found by id or number."""

from collections.abc import Iterable

from tenants.addresses import line_numbers
from tenants.numbers import region_of

_MAX_SPELLINGS = 10_000


class LineDirectory:
    """The lines by id and by number, in memory. Takes pairs of id and E.164 number."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self.number_of = dict(lines)
        self._by_number = {number: phone_id for phone_id, number in self.number_of.items()}
        self._regions = {
            phone_id: region_of(number) for phone_id, number in self.number_of.items()
        }
        self._spellings: dict[str, str | None] = {}

    def region(self, phone_id: str) -> str:
        return self._regions[phone_id]

    def find(self, text: str) -> str | None:
        """The id of the line with this number in any spelling, or None."""
        if phone_id := self._by_number.get(text):
            return phone_id
        if text not in self._spellings:
            if len(self._spellings) >= _MAX_SPELLINGS:
                self._spellings.clear()
            self._spellings[text] = self._find_spelled(text)
        return self._spellings[text]

    def _find_spelled(self, text: str) -> str | None:
        regions = set(self._regions.values())
        spelled = line_numbers(text, *regions)
        found = dict.fromkeys(self._by_number[n] for n in spelled if n in self._by_number)
        return next(iter(found)) if len(found) == 1 else None
