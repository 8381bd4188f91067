"""The made-up businesses: cities, trades, and the lines that they rent.

Telephone numbers come from ranges that the regulators keep for fiction: 555-01xx in North
America, Ofcom's drama numbers, the Bundesnetzagentur's, ComReg's and the ACMA's. The first three
lines have fixed numbers, which samples and documents refer to.
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from demo.dialogues import LAST_NAMES

MAX_LINES = 1000
FIXED_NUMBERS = ("+14155550100", "+442071838750", "+4930901820")


@dataclass(frozen=True)
class Range:
    """Numbers of one prefix and a fixed count of further digits, from `first` on."""

    prefix: str
    digits: int
    first: int = 0

    def __len__(self) -> int:
        return int(10**self.digits) - self.first

    def number(self, n: int) -> str:
        return f"{self.prefix}{self.first + n:0{self.digits}}"


@dataclass(frozen=True)
class City:
    """Where lines are; each has one of the first LINES_PER_CITY numbers of the range."""

    name: str
    country: str
    timezone: str
    language: str
    currency: str
    lines: Range

    @property
    def speech(self) -> str:
        """The language that is spoken, a key of the dialogues."""
        return self.language[:2]


@dataclass(frozen=True)
class Trade:
    """opens and closes are whole hours; saturday_closes 0 means closed; day 0 is Monday.

    is_urgent: people also call when it is closed. break_at is the hour of a break; 0: none.
    """

    name: str
    titles: dict[str, tuple[str, ...]]
    services: dict[str, tuple[str, ...]]
    place: dict[str, str]
    opens: int = 9
    closes: int = 18
    saturday_closes: int = 0
    days_open: tuple[int, ...] = (0, 1, 2, 3, 4)
    is_urgent: bool = False
    break_at: int = 0


@dataclass(frozen=True)
class Business:
    """A line of the demo and what the calls on it need to know."""

    phone_id: str
    number: str
    name: str
    city: City
    trade: Trade
    greeting: str


CITIES = (
    City("San Francisco", "US", "America/Los_Angeles", "en-US", "$", Range("+141555501", 2)),
    City("London", "GB", "Europe/London", "en-GB", "£", Range("+442079460", 3)),
    City("Berlin", "DE", "Europe/Berlin", "de-DE", "€", Range("+493023125", 3)),
    City("New York", "US", "America/New_York", "en-US", "$", Range("+121255501", 2)),
    City("Sydney", "AU", "Australia/Sydney", "en-AU", "$", Range("+6125550", 4)),
    City("Chicago", "US", "America/Chicago", "en-US", "$", Range("+131255501", 2)),
    City("Dublin", "IE", "Europe/Dublin", "en-IE", "€", Range("+35320910", 4)),
    City("Munich", "DE", "Europe/Berlin", "de-DE", "€", Range("+498999998", 3)),
    City("Toronto", "CA", "America/Toronto", "en-CA", "$", Range("+141655501", 2)),
    City("Denver", "US", "America/Denver", "en-US", "$", Range("+130355501", 2)),
    City("Adelaide", "AU", "Australia/Adelaide", "en-AU", "$", Range("+6185550", 4)),
    City("Manchester", "GB", "Europe/London", "en-GB", "£", Range("+441614960", 3)),
)
LINES_PER_CITY = 100
_LINE_AREAS = {"415", "212", "312", "416", "303"}
_AMERICA = tuple(
    Range(f"+1{area}55501", 2)
    for area in map(str, range(201, 990))
    if area not in _LINE_AREAS | {"555"} and area[1] != "9" and area[1:] != "11"
)
_BRITAIN = (
    *("+442079460", "+447700900", "+441614960", "+441214960", "+441134960", "+441314960"),
    *("+441414960", "+441514960", "+441144960", "+441164960", "+441174960", "+441184960"),
    *("+441914980", "+442920180", "+441632960"),
)
_GERMANY = ("+493023125", "+498999998", "+494066969", "+496990009", "+492214710")
_AUSTRALIA = ("+6125550", "+6135550", "+6175550", "+6185550", "+6127010", "+6137010")
# Where people call from. None of these numbers is a line's.
_CALLERS = {
    "US": _AMERICA,
    "CA": _AMERICA,
    "GB": tuple(Range(prefix, 3, LINES_PER_CITY) for prefix in _BRITAIN),
    "DE": tuple(Range(prefix, 3, LINES_PER_CITY) for prefix in _GERMANY),
    "AU": tuple(Range(prefix, 4, LINES_PER_CITY) for prefix in _AUSTRALIA),
    "IE": tuple(Range(f"+3532091{n}", 4, LINES_PER_CITY) for n in range(10)),
}

TRADES = (
    Trade(
        "dentist",
        {
            "en": ("{last} Dental Care", "Bright Smile Dental"),
            "de": ("Zahnarztpraxis Dr. {last}",),
        },
        {
            "en": ("a check-up", "a cleaning", "a filling", "a consultation about braces"),
            "de": ("eine Kontrolle", "eine Zahnreinigung", "eine Füllung"),
        },
        {"en": "the practice manager", "de": "die Praxisleitung"},
        opens=8,
        closes=17,
        break_at=12,
    ),
    Trade(
        "salon",
        {"en": ("{last} & Co Hair", "Studio {last}"), "de": ("Friseursalon {last}",)},
        {
            "en": ("a haircut", "a colour treatment", "a wash and blow-dry"),
            "de": ("eine neue Frisur", "eine Färbung", "eine Dauerwelle"),
        },
        {"en": "the salon manager", "de": "die Salonleitung"},
        opens=10,
        closes=19,
        saturday_closes=17,
        days_open=(1, 2, 3, 4),
    ),
    Trade(
        "plumber",
        {"en": ("{last} Plumbing & Heating",), "de": ("{last} Sanitär und Heizung",)},
        {
            "en": ("a boiler service", "a tap repair", "a drain cleaning"),
            "de": ("eine Heizungswartung", "eine Rohrreinigung", "eine neue Armatur"),
        },
        {"en": "the plumber on duty", "de": "den Notdienst"},
        opens=7,
        closes=18,
        saturday_closes=13,
        is_urgent=True,
    ),
    Trade(
        "restaurant",
        {"en": ("{last}'s Kitchen", "Trattoria {last}"), "de": ("Gasthaus {last}",)},
        {
            "en": ("a dinner for two", "a dinner for six", "a birthday dinner"),
            "de": ("ein Abendessen zu zweit", "ein Essen für sechs", "eine Familienfeier"),
        },
        {"en": "the head waiter", "de": "die Restaurantleitung"},
        opens=11,
        closes=22,
        saturday_closes=23,
        days_open=(1, 2, 3, 4, 6),
    ),
    Trade(
        "law firm",
        {"en": ("{last} Legal", "{last} & Partners"), "de": ("Kanzlei {last}",)},
        {
            "en": ("a first consultation", "a meeting about a will", "a review of a contract"),
            "de": ("eine Erstberatung", "eine Vertragsprüfung", "eine Beratung zum Erbrecht"),
        },
        {"en": "one of the partners", "de": "das Sekretariat"},
        break_at=13,
    ),
    Trade(
        "vet",
        {"en": ("{last} Veterinary Clinic",), "de": ("Tierarztpraxis {last}",)},
        {
            "en": ("a vaccination for our dog", "a check-up for our cat", "a dental for our dog"),
            "de": ("eine Impfung für unseren Hund", "eine Kontrolle für unsere Katze"),
        },
        {"en": "the vet on duty", "de": "die Tierärztin"},
        opens=8,
        closes=19,
        saturday_closes=12,
        is_urgent=True,
    ),
    Trade(
        "garage",
        {"en": ("{last} Motors", "{last} Auto Repair"), "de": ("Autohaus {last}",)},
        {
            "en": ("an oil change", "a tyre change", "an inspection", "a brake check"),
            "de": ("eine Inspektion", "eine Bremsprüfung", "eine Reifenmontage"),
        },
        {"en": "the workshop", "de": "die Werkstatt"},
        opens=8,
        closes=17,
        saturday_closes=12,
    ),
    Trade(
        "accountant",
        {"en": ("{last} Accounting",), "de": ("Steuerbüro {last}",)},
        {
            "en": ("a tax return", "a bookkeeping review", "a payroll set-up"),
            "de": ("eine Steuererklärung", "eine Lohnabrechnung", "eine Erstberatung"),
        },
        {"en": "the accountant", "de": "das Steuerbüro"},
    ),
)

_GREETINGS = {
    "en": "Thank you for calling {name}. How can I help you?",
    "de": "Guten Tag, {name}. Wie kann ich Ihnen helfen?",
}


def random_uuid(rng: random.Random) -> UUID:
    """A version 4 UUID out of the seeded generator."""
    return UUID(int=rng.getrandbits(128), version=4)


def make_businesses(
    *, rng: random.Random, count: int, taken: Collection[str] = ()
) -> list[Business]:
    """The lines to make, the busiest first; none gets a number that is in `taken`."""
    used = set(taken)
    businesses = []
    for n in range(count):
        city, trade = CITIES[n % len(CITIES)], TRADES[n % len(TRADES)]
        number = next(number for number in _numbers(n, city) if number not in used)
        used.add(number)
        title = rng.choice(trade.titles[city.speech])
        name = title.format(last=rng.choice(LAST_NAMES[city.speech]))
        businesses.append(
            Business(
                phone_id=f"pn_{random_uuid(rng).hex}",
                number=number,
                name=name,
                city=city,
                trade=trade,
                greeting=_GREETINGS[city.speech].format(name=name),
            )
        )
    return businesses


def _numbers(n: int, city: City) -> Iterator[str]:
    """The numbers that the nth line may have, in the order of preference."""
    if n < len(FIXED_NUMBERS):
        yield FIXED_NUMBERS[n]
    for place in (city, *CITIES):
        yield from (place.lines.number(k) for k in range(LINES_PER_CITY))


def callers_of(city: City) -> tuple[Range, ...]:
    """The ranges, of one length, that most callers of a city's lines have their numbers from."""
    return _CALLERS[city.country]


def person_of(city: City) -> str:
    """The number of the person who takes over what the AI transfers."""
    last = callers_of(city)[-1]
    return last.number(len(last) - 1)


def closing_hour(trade: Trade, day: int) -> int | None:
    """The hour at which a trade closes on a day (0 is Monday), None when it stays closed."""
    if day == 5:
        return trade.saturday_closes or None
    return trade.closes if day in trade.days_open else None


def first_closing(trade: Trade, day: int) -> int | None:
    """The hour at which its break begins, where it has one that day; else as closing_hour."""
    closes = closing_hour(trade, day)
    return trade.break_at if closes and 0 < trade.break_at < closes - 1 else closes
