"""The holidays that are offered as special days."""

from datetime import date

import pytest

from tenants.public_holidays import UnknownRegion, countries, public_holidays, subdivisions


def labels(country: str, subdivision: str | None, language: str) -> dict[date, str]:
    return dict(
        public_holidays(country=country, subdivision=subdivision, year=2026, language=language)
    )


@pytest.mark.parametrize(
    ("country", "subdivision", "language", "day", "label"),
    [
        ("DE", "BY", "de-DE", date(2026, 1, 6), "Heilige Drei Könige"),
        ("DE", "BY", "en-US", date(2026, 1, 6), "Epiphany"),
        ("DE", "BY", "ja", date(2026, 1, 6), "Epiphany"),
        ("DE", "HH", "de-DE", date(2026, 1, 6), None),
        ("DE", None, "de-AT", date(2026, 10, 3), "Tag der Deutschen Einheit"),
        ("CH", "GE", "fr-CH", date(2026, 8, 1), "Fête nationale"),
        ("US", None, "en-GB", date(2026, 11, 26), "Thanksgiving Day"),
        ("US", None, "de", date(2026, 11, 26), "Thanksgiving Day"),
        ("CA", "QC", "fr-CA", date(2026, 6, 24), "Fête nationale"),
        ("GB", "SCT", "en-GB", date(2026, 11, 30), "Saint Andrew's Day"),
        ("NZ", None, "mi", date(2026, 2, 6), "Waitangi Day"),
    ],
)
def test_a_holiday_has_its_name_in_the_language_of_the_line(
    country: str, subdivision: str | None, language: str, day: date, label: str | None
) -> None:
    found = labels(country, subdivision, language)
    assert found.get(day) == label or (label and found[day].startswith(label))
    assert list(found) == sorted(found)


def test_the_language_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "th")
    assert labels("DE", None, "es")[date(2026, 12, 25)] == "Christmas Day"


@pytest.mark.parametrize(
    ("country", "subdivision", "message"),
    [
        ("XX", None, "not a country code"),
        ("", None, "not a country code"),
        ("DE", "QC", "Choose one of: .*BY"),
        ("AQ", "QC", "Leave the subdivision out"),
    ],
)
def test_an_unknown_region_is_named(country: str, subdivision: str | None, message: str) -> None:
    with pytest.raises(UnknownRegion, match=message):
        labels(country, subdivision, "en-US")


def test_regions_have_names() -> None:
    assert countries()["DE"] == "Germany"
    assert countries()["CI"] == "Côte d'Ivoire"
    assert list(countries().values()) == sorted(countries().values())
    assert not [code for code, name in countries().items() if len(name) < 4]
    assert subdivisions("CA")["BC"] == "British Columbia / Colombie-Britannique"
    assert subdivisions("DE")["Augsburg"] == "Augsburg"
    assert subdivisions("AQ") == {}
