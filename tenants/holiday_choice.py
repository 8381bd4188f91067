"""The public holidays that a line's opening hours offer as special days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.datastructures import MultiValueDict

from tenants.public_holidays import (
    PublicHoliday,
    UnknownRegion,
    countries,
    public_holidays,
    subdivisions,
)


@dataclass(frozen=True)
class Offer:
    """A holiday, and whether it is ticked."""

    holiday: PublicHoliday
    is_chosen: bool

    @property
    def key(self) -> str:
        return self.holiday.date.isoformat()


class HolidayChoice:
    """Those of this year or the next in a country or a part of it, from today on.

    Without a country in data it is `region`, that of the line's number.
    """

    def __init__(
        self, data: MultiValueDict[str, Any], *, region: str, language: str, today: date
    ) -> None:
        self.data, self.language, self.today = data, language, today
        # What the page lists was offered before one chose another country.
        fields = [data.get(name, "") for name in ("country", "subdivision", "year")]
        country, part, year = (
            offered if len(offered := data.get("offered", "").split("|")) == 3 else fields
        )
        self.country = country or (region if region in countries() else "US")
        self.subdivision = part or None
        self.years = [today.year, today.year + 1]
        self.year = int(year) if year in map(str, self.years) else today.year
        self.errors: list[str] = []

    @property
    def countries(self) -> dict[str, str]:
        return countries()

    @property
    def subdivisions(self) -> dict[str, str]:
        return subdivisions(self.country) if self.country in countries() else {}

    @property
    def offered(self) -> str:
        return f"{self.country}|{self.subdivision or ''}|{self.year}"

    def offers(self) -> list[Offer]:
        """A part of another country, as when the country was just changed, is left out."""
        if self.subdivision not in self.subdivisions:
            self.subdivision = None
        try:
            found = public_holidays(
                country=self.country,
                subdivision=self.subdivision,
                year=self.year,
                language=self.language,
            )
        except UnknownRegion as error:
            self.errors = [str(error)]
            return []
        ticked = set(self.data.getlist("holiday"))
        is_all = "all_holidays" in self.data
        return [
            Offer(each, is_all or each.date.isoformat() in ticked)
            for each in found
            if each.date >= self.today
        ]

    def chosen(self) -> Iterable[PublicHoliday]:
        if "all_holidays" not in self.data and not self.data.getlist("holiday"):
            return []
        return [offer.holiday for offer in self.offers() if offer.is_chosen]
