"""The public holidays of a country, or of a part of it, as the package holidays knows them."""

from datetime import date
from functools import cache
from typing import NamedTuple

import holidays
from holidays.utils import list_supported_countries

from tenants.special_days import MAX_LABEL_LENGTH

ENGLISH = "en_US"  # which the package has for every country that has more than one language


class PublicHoliday(NamedTuple):
    date: date
    label: str


class UnknownRegion(ValueError):
    """The package has no holidays of this country, or of this part of it."""


def public_holidays(
    *, country: str, subdivision: str | None, year: int, language: str
) -> list[PublicHoliday]:
    """In the order of their dates, one for each date.

    country is an ISO 3166 code such as DE, subdivision a key of subdivisions() or None for the
    holidays of the whole country, language a tag such as de-DE. Labels are in that language where
    the package has it, else in English, and fit into a special day's. A holiday that is observed
    on another day stands on both. Raises UnknownRegion.
    """
    known = subdivisions(country)
    if subdivision is not None and subdivision not in known:
        raise UnknownRegion(
            f"“{subdivision}” is unknown in {country}. Choose one of: {', '.join(known)}."
            if known
            else f"{country} has no subdivisions here. Leave the subdivision out."
        )
    name = _language_of(country, language)
    found = holidays.country_holidays(country, subdiv=subdivision, years=year, language=name)
    return [PublicHoliday(day, _label(found[day])) for day in sorted(found)]


@cache
def countries() -> dict[str, str]:
    """The English names of the countries by their ISO 3166 codes, in the order of the names."""
    # Half a second, which only those who show the names pay.
    from phonenumbers.geodata.locale import LOCALE_DATA

    names = {}
    for code in _codes():
        known = LOCALE_DATA.get(code, {"en": "Kosovo" if code == "XK" else code})
        # A name that is the same in another language stands there alone.
        alias = known["en"].removeprefix("*")
        names[code] = str(known.get(alias, alias))
    return dict(sorted(names.items(), key=lambda item: item[1]))


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_supported_countries(include_aliases=False))


@cache
def subdivisions(country: str) -> dict[str, str]:
    """The names of a country's parts that have holidays of their own, by their codes.

    Where people call one by two names, both are in its name. Raises UnknownRegion.
    """
    if country not in _codes():
        raise UnknownRegion(f"“{country}” is not a country code: expected one such as DE or US.")
    known = holidays.country_holidays(country)
    names: dict[str, list[str]] = {code: [] for code in known.subdivisions}
    for name, code in known.subdivisions_aliases.items():
        names[code].append(name)
    joined = {code: " / ".join(each) or code for code, each in names.items()}
    return dict(sorted(joined.items(), key=lambda item: item[1]))


def _language_of(country: str, tag: str) -> str | None:
    """The package's name of the language; None where the country's holidays have one only."""
    known = holidays.country_holidays(country)
    first, *rest = tag.split("-")
    region = rest[-1] if rest else ""
    alike = [name for name in known.supported_languages if name.split("_")[0] == first]
    for wanted in (f"{first}_{region}", known.default_language):
        if wanted in alike:
            return str(wanted)
    return next(iter(alike), ENGLISH if ENGLISH in known.supported_languages else None)


def _label(name: str) -> str:
    return " ".join(name.split())[:MAX_LABEL_LENGTH].rstrip()
