"""Rules in the words of the line's owner."""

from typing import Any

import pytest

from tenants.rules import TYPES, rule_errors, schema_of
from tenants.rules.sentences import ACTIONS, CONDITIONS, condition, doing, sentence

HIGH, NEGATIVE = {"urgency": "high"}, {"sentiment": "negative"}
NEW, PERSON = {"first_time_caller": True}, {"asks_for_person": True}
BOOK = {"intent": ["book", "reschedule"]}
CLOSED = {"outside_business_hours": True}


def test_every_word_of_the_schema_has_a_phrase() -> None:
    assert set(CONDITIONS) == set(schema_of(TYPES[0])["$defs"]["conditions"]["properties"])
    actions = [schema_of(t)["properties"]["actions"]["properties"] for t in TYPES]
    assert set(ACTIONS) == set().union(*actions)


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        # Lists, and what is said of one subject.
        ({"any": [BOOK, NEW]}, "the caller wants to book, reschedule or is a new customer"),
        ({"intent": ["book", "reschedule", "new-customer"]},
         "the caller wants to book, reschedule or is a new customer"),
        (BOOK, "the caller wants to book or reschedule"),
        (BOOK | NEW, "the caller is a new customer, and wants to book or reschedule"),
        ({"intent": ["book_table", "billing", "opening hours"]},
         "the caller wants to book table, calls about billing or opening hours"),
        (NEW | NEGATIVE, "the caller is a new customer and sounds negative"),
        ({"first_time_caller": False}, "the caller has called before"),
        ({"asks_for_person": False}, "the caller does not ask for a person"),
        ({"keywords": ["fire"]}, "the caller says “fire”"),
        ({"keywords": ["fire", "flood", "smoke"]}, "the caller says “fire”, “flood” or “smoke”"),
        ({"language": ["de", "en-GB", "de-AT", "gsw"]},
         "the caller speaks German, British English, German (de-AT) or gsw"),
        ({"caller_prefix": ["+49", "+43"]},
         "the caller calls from a number that begins with +49 or +43"),
        (PERSON | HIGH | CLOSED,
         "the caller asks for a person, the urgency is high and the business is closed"),
        ({"any": [HIGH, {"urgency": "emergency"}]}, "the urgency is high or is emergency"),
        ({"outside_business_hours": False}, "the business is open"),
        # Days, dates and times.
        ({"day_of_week": [0]}, "it is Sunday"),
        ({"day_of_week": [0, 6]}, "it is Saturday or Sunday"),
        ({"day_of_week": [5, 1, 2, 3, 4]}, "it is Monday to Friday"),
        ({"day_of_week": [1, 2, 3, 5, 0]}, "it is Monday to Wednesday, Friday or Sunday"),
        ({"date": {"from": "2026-12-24"}}, "the date is 24 December 2026 or later"),
        ({"date": {"to": "2026-12-24"}}, "the date is 24 December 2026 or earlier"),
        ({"date": {"from": "2026-12-24", "to": "2026-12-24"}}, "the date is 24 December 2026"),
        ({"date": {"from": "2026-12-24", "to": "2027-01-01"}},
         "the date is from 24 December 2026 to 1 January 2027"),
        ({"time_of_day": {"from": "09:00", "to": "17:00"}}, "the time is from 09:00 to 17:00"),
        ({"time_of_day": {"from": "22:00", "to": "06:00"}},
         "the time is from 22:00 to 06:00 of the next day"),
        ({"time_of_day": {"from": "08:00", "to": "08:00"}}, "the time is any time of day"),
        # Negation.
        ({"not": HIGH}, "the urgency is not high"),
        ({"not": {"not": HIGH}}, "the urgency is high"),
        ({"not": NEW}, "the caller has called before"),
        ({"not": CLOSED}, "the business is open"),
        ({"not": BOOK}, "the caller does not want to book or reschedule"),
        ({"not": {"intent": ["book", "billing"]}},
         "the caller does not want to book and does not call about billing"),
        ({"not": {"intent": ["old_patient", "unhappy_guest"]}},
         "the caller is not an old patient or an unhappy guest"),
        ({"not": {"keywords": ["a", "b"]}}, "the caller does not say “a” or “b”"),
        ({"not": {"language": ["de"]}}, "the caller does not speak German"),
        ({"not": {"caller_prefix": ["+1"]}},
         "the caller calls from a number that does not begin with +1"),
        ({"not": {"day_of_week": [6, 0]}}, "it is not Saturday or Sunday"),
        ({"not": {"date": {"from": "2026-12-24"}}}, "the date is before 24 December 2026"),
        ({"not": {"date": {"to": "2026-12-24"}}}, "the date is after 24 December 2026"),
        ({"not": {"time_of_day": {"from": "12:00", "to": "13:00"}}},
         "the time is not from 12:00 to 13:00"),
        ({"not": {"time_of_day": {"from": "12:00", "to": "12:00"}}}, "the time is never"),
        ({"not": HIGH | NEGATIVE},
         "the caller does not sound negative or the urgency is not high"),
        ({"not": {"any": [HIGH, {"not": NEGATIVE}]}},
         "the urgency is not high and the caller sounds negative"),
        # Nesting.
        (CLOSED | {"any": [HIGH, PERSON]},
         "the business is closed, and either the urgency is high or the caller asks for a"
         " person"),
        (CLOSED | {"any": [HIGH, {"keywords": ["fire", "flood"]}]},
         "the business is closed, and either the urgency is high, or the caller says “fire” or"
         " “flood”"),
        ({"any": [HIGH | NEGATIVE, BOOK]},
         "both the caller sounds negative and the urgency is high, or the caller wants to book or"
         " reschedule"),
        ({"any": [PERSON | NEGATIVE, CLOSED]},
         "the caller both asks for a person and sounds negative, or the business is closed"),
        ({"any": [PERSON | HIGH | CLOSED, BOOK]},
         "(the caller asks for a person, the urgency is high and the business is closed), or the"
         " caller wants to book or reschedule"),
        ({"any": [{"any": [HIGH, CLOSED]}, PERSON]},
         "the urgency is high, the business is closed or the caller asks for a person"),
        ({"any": [HIGH | {"any": [CLOSED, PERSON]}, BOOK]},
         "(the urgency is high, and either the business is closed or the caller asks for a"
         " person), or the caller wants to book or reschedule"),
        ({"any": [{}, HIGH]}, "anything happens"),
        ({"not": {}}, "nothing happens"),
    ],
)  # fmt: skip
def test_conditions_read_as_their_owner_would_put_them(conditions: Any, text: str) -> None:
    actions = {"transfer_to": "+14155550100"}
    assert not list(rule_errors("transfer", conditions=conditions, actions=actions))
    assert condition(conditions) == text


@pytest.mark.parametrize(
    ("conditions", "actions", "text"),
    [
        ({}, {"say": "Hi"}, "Always: say “Hi”."),
        ({"not": {}}, {"say": "Hi"}, "Never: say “Hi”."),
        (CLOSED, {"transfer_to": "Anna", "after_seconds": 20, "else": "take_message"},
         "When the business is closed: transfer to Anna after 20 seconds and take a message if"
         " nobody answers."),
        (BOOK, {"calendar": "dentist", "confirm_by": "sms"},
         "When the caller wants to book or reschedule: book in the calendar “dentist” and confirm"
         " by SMS."),
        (HIGH, {"page": "Anna", "repeat_minutes": 5},
         "When the urgency is high: page Anna every 5 minutes."),
        (HIGH, {"say": "We are closed.", "take_message": True, "offer_booking": False},
         "When the urgency is high: say “We are closed.”, take a message and offer no booking."),
        # What the schema refuses is shown all the same, as in the preview of a form.
        ({"moon": "full"}, {}, 'When moon is "full": nothing yet.'),
        ({"not": {"moon": "full"}}, {"sing": 1}, 'When moon is not "full": sing is 1.'),
        ({"day_of_week": ["x", 9]}, {}, 'When day_of_week is ["x", 9]: nothing yet.'),
        ({"day_of_week": 1, "date": "x"}, {},
         'When day_of_week is 1 and date is "x": nothing yet.'),
        ({"any": 5, "intent": []}, {}, "When intent is [] and any is 5: nothing yet."),
        ([], None, "When it is []: null."),
    ],
)  # fmt: skip
def test_a_rule_reads_as_a_sentence(conditions: Any, actions: Any, text: str) -> None:
    assert sentence(conditions=conditions, actions=actions) == text


def test_one_action_reads_alone() -> None:
    assert doing({"repeat_minutes": 5}) == "every 5 minutes"
    assert CONDITIONS["urgency"]("low") == "the urgency is low"
