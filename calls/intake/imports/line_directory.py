"""The lines of an import, found by id, or by number and time."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from tenancy import all_tenants
from tenants.addresses import line_numbers
from tenants.models import NumberAssignment, PhoneNumber
from tenants.numbers import one_form, region_of

_MAX_SPELLINGS = 10_000
_ALWAYS, _FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Holding(NamedTuple):
    """A line, None if it is deleted, held a number from `since` until before `until`."""

    phone_id: str | None
    since: datetime
    until: datetime

    @property
    def is_unlimited(self) -> bool:
        return self.since == _ALWAYS and self.until == _FOREVER


class LineDirectory:
    """The lines by id and by number, in memory."""

    def __init__(
        self,
        lines: Iterable[tuple[str, str]],
        held: Iterable[tuple[str, str | None, datetime | None, datetime | None]],
    ) -> None:
        """lines: id and E.164 number. held: number, line, since and until of an assignment."""
        self.number_of = dict(lines)
        self._holdings: dict[str, list[Holding]] = {}
        for number, phone_id, since, until in held:
            holding = Holding(phone_id, since or _ALWAYS, until or _FOREVER)
            self._holdings.setdefault(number, []).append(holding)
        self._regions = {
            phone_id: region_of(number) for phone_id, number in self.number_of.items()
        }
        self._spellings: dict[str, list[Holding]] = {}

    def region(self, phone_id: str) -> str:
        return self._regions[phone_id]

    def holdings(self, text: str) -> list[Holding]:
        """Who holds and held the number, in any spelling; empty if no line ever did."""
        if holdings := self._holdings.get(one_form(text)):
            return holdings
        if text not in self._spellings:
            if len(self._spellings) >= _MAX_SPELLINGS:
                self._spellings.clear()
            self._spellings[text] = self._find_spelled(text)
        return self._spellings[text]

    def find(self, text: str, began: str) -> str | None:
        """The id of the line that held the number at this time, an ISO 8601 text, or None."""
        holdings = self.holdings(text)
        if len(holdings) == 1 and holdings[0].is_unlimited:
            return holdings[0].phone_id
        at = datetime.fromisoformat(began.replace(" +", "+")) if holdings else _ALWAYS
        return next((h.phone_id for h in holdings if h.since <= at < h.until), None)

    def _find_spelled(self, text: str) -> list[Holding]:
        spelled = line_numbers(text, *set(self._regions.values()))
        found = {one_form(number) for number in spelled} & self._holdings.keys()
        return self._holdings[found.pop()] if len(found) == 1 else []


def all_lines(reason: str) -> LineDirectory:
    """The lines of the installation."""
    with all_tenants(reason):
        return LineDirectory(
            PhoneNumber.objects.values_list("id", "number"),
            NumberAssignment.objects.values_list("number", "phone_id", "since", "until"),
        )
