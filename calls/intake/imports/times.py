"""Strict parsing of the times in call exports."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_DATE = r"(?P<date>[12][0-9]{3}-[0-9]{2}-[0-9]{2})"
_CLOCK = r"(?P<clock>[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?)"
_ZONE = r"(?P<zone>[A-Za-z]{1,5}|[+-][0-9]{2}(:?[0-9]{2})?)?"
_FORMS = [
    # ISO 8601, and the looser form of databases: 2026-03-04 05:06:07 UTC.
    re.compile(rf"{_DATE}[T ]{_CLOCK}\s*{_ZONE}"),
    # RFC 2822, of the REST API: Wed, 04 Mar 2026 05:06:07 +0000.
    re.compile(
        r"([A-Za-z]{3,9},)?\s*(?P<day>[0-9]{1,2})\s+(?P<month>[A-Za-z]{3})[a-z]*\s+"
        rf"(?P<year>[12][0-9]{{3}})\s+{_CLOCK}\s*{_ZONE}"
    ),
    # The console's export: 05:06:07 UTC 2026-03-04.
    re.compile(rf"{_CLOCK}\s+{_ZONE}\s*{_DATE}"),
]
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_UNIVERSAL = {"Z", "UTC", "UT", "GMT"}
# Offsets in hours of the names that RFC 2822 defines, for a file of no given zone; elsewhere they
# mean other zones: CST is also China's, IST Ireland's, India's and Israel's.
_AMERICAN = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip

# The REST API's form, of which a large file has one per row.
_API_CLOCK = re.compile(r" ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] \+0000")
_API_CLOCK_LENGTH = len(" 05:06:07 +0000")

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class BadTime(ValueError):
    """The text is not a possible time of a call; the message says what to do."""


class TimeReader:
    """Reads times as ISO 8601 text for PostgreSQL.

    local is the time zone of times without one, and the one that an abbreviation such as AEDT or
    CST is of. Without it, those times are in UTC and only America's abbreviations are known. A
    call cannot begin before 2000 or more than a day after `now`.
    """

    def __init__(self, *, now: datetime, local: tzinfo | None = None) -> None:
        self._latest = now + timedelta(days=1)
        self._given = local
        self._days: dict[str, str] = {}

    def read(self, text: str) -> str:
        """Raises BadTime."""
        if _API_CLOCK.fullmatch(clock := text[-_API_CLOCK_LENGTH:]):
            day = text[:-_API_CLOCK_LENGTH]
            if day in self._days or self._is_in_range(day):
                return f"{self._days[day]}{clock}"
        return self._read(text)

    def _is_in_range(self, day: str) -> bool:
        """Whether every time of a day in RFC 2822 format is a possible time of a call."""
        try:
            self._read(f"{day} 23:59:59 +0000")
            self._days[day] = self._read(f"{day} 00:00:00 +0000")[:10]
        except BadTime:
            return False
        return True

    def _read(self, text: str) -> str:
        match = next((m for form in _FORMS if (m := form.fullmatch(text.strip()))), None)
        if match is None:
            raise BadTime("is not a time: expected one such as 2026-03-04T05:06:07Z")
        parts = match.groupdict()
        try:
            date = parts.get("date") or self._date(parts)
            naive = datetime.fromisoformat(f"{date} {parts['clock']}")
        except ValueError:
            raise BadTime("is not a date in the calendar; correct it") from None
        moment = naive.replace(tzinfo=self._zone(naive, parts["zone"]))
        if not EARLIEST <= moment <= self._latest:
            raise BadTime("is before 2000 or in the future; correct it")
        return moment.isoformat(sep=" ")

    def _date(self, parts: dict[str, str]) -> str:
        month = _MONTHS.index(parts["month"].lower()) + 1
        return f"{parts['year']}-{month:02}-{int(parts['day']):02}"

    def _zone(self, naive: datetime, name: str | None) -> tzinfo:
        if not name:
            return self._local(naive)
        if name[0] in "+-":
            hours, minutes = int(name[1:3]), int(name[-2:]) if len(name) > 3 else 0
            if hours > 15 or minutes > 59:
                raise BadTime("has an invalid UTC offset; correct it")
            offset = timedelta(hours=hours, minutes=minutes)
            return timezone(-offset if name[0] == "-" else offset)
        if name.upper() in _UNIVERSAL:
            return UTC
        if self._given is None:
            if name.upper() in _AMERICAN:
                return timezone(timedelta(hours=_AMERICAN[name.upper()]))
            raise BadTime(f"has the ambiguous time zone {name}; set it with --timezone")
        return self._abbreviated(naive, name.upper(), self._given)

    def _local(self, naive: datetime) -> tzinfo:
        """The given zone, at a time that it has once."""
        if self._given is None:
            return UTC
        first, second = (naive.replace(tzinfo=self._given, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            there_and_back = first.astimezone(UTC).astimezone(self._given).replace(tzinfo=None)
            times = "exists twice" if there_and_back == naive else "does not exist"
            raise BadTime(
                f"{times} in {self._given}, where the clocks are changed then;"
                f" write its offset, such as {first:%z} or {second:%z}"
            )
        return self._given

    @staticmethod
    def _abbreviated(naive: datetime, name: str, given: tzinfo) -> tzinfo:
        """The offset of a zone's abbreviation, in the hour that occurs twice and out of season."""
        moments = [naive.replace(tzinfo=given, fold=fold) for fold in (0, 1)]
        moments += [datetime(naive.year, month, 1, tzinfo=given) for month in range(1, 13)]
        for moment in moments:
            if moment.tzname() == name:
                return timezone(moment.utcoffset() or timedelta())
        raise BadTime(f"has the time zone {name}, which {given} does not use; correct --timezone")
