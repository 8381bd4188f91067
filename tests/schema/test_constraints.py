"""Each CHECK, unique and foreign key takes the last good value and refuses the first bad one.

By raw SQL, so that no Python validation can stand in for the database.
"""

from typing import Any

import pytest

from database.columns import timezones
from tenants.models import PhoneNumber
from tests.factories import make_call
from tests.schema.rawsql import ROWS, fetch, insert, insert_refused_by

pytestmark = pytest.mark.usefixtures("staff_scope")

KNOWN_TIMEZONES = ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/New_York"]
KNOWN_TIMEZONES += ["America/Port-au-Prince", "Etc/GMT+12", "Etc/GMT-14"]
UNKNOWN_TIMEZONES = ["", "utc", "europe/berlin", "EUROPE/BERLIN", "Europe/Atlantis", "Europe/"]
UNKNOWN_TIMEZONES += ["EST5EDT", "foo5", "UTC+3", "+03:00", "3", "Foo/5", "FOO/BAR5"]  # POSIX
UNKNOWN_TIMEZONES += ["America/New_York5", "Etc/GMT+13", "Europe/Berlin ", "Europe/Berlin\n"]
UNKNOWN_TIMEZONES += ["localtime", "posixrules", "../etc/passwd", "/etc/localtime"]

# Table, column, constraint, values it takes, values it refuses.
CHECKS: list[tuple[str, str, str, list[Any], list[Any]]] = [
    (
        "phone_numbers",
        "id",
        "phone_numbers_id_form",
        ["a", "x" * 64, "+14155550123", "pn_A-z.0:9"],
        ["", "x" * 65, "a b", "a'b", "a\n", "ä", "a/b"],
    ),
    (
        "phone_numbers",
        "number",
        "phone_numbers_number_e164",
        ["+10", "+999999999999999"],
        ["", "+1", "+0123456", "14155550123", "+1415555012345678", "+1 415 555", "+14155550123\n"],
    ),
    (
        "phone_numbers",
        "timezone",
        "phone_numbers_timezone_known",
        KNOWN_TIMEZONES,
        UNKNOWN_TIMEZONES,
    ),
    (
        "business_hours",
        "timezone",
        "business_hours_timezone_known",
        KNOWN_TIMEZONES,
        UNKNOWN_TIMEZONES,
    ),
    (
        "voice_settings",
        "speech_speed",
        "voice_settings_speech_speed_range",
        ["0.25", "1", "4", "4.00"],
        ["0.24", "4.01", "0", "-1", "NaN"],
    ),
    (
        "voice_settings",
        "language",
        "voice_settings_language_tag",
        ["en", "en-US", "fil-PH", "zh-Hant-TW", "es-419", "sr-Latn"],
        ["", "EN", "en-us", "en_US", "e", "engl", "en-USA", "en-", "en-US ", "zh-hant", "en-US\n"],
    ),
    (
        "conversation_rules",
        "rule_type",
        "conversation_rules_rule_type_check",
        ["greeting", "routing", "transfer", "hours"],
        ["", "Greeting", "other"],
    ),
    *(
        (
            table,
            column,
            f"{table}_{column}_object",
            ["{}", '{"a": [1]}'],
            ["[]", "null", '"a"', "1", "true"],
        )
        for table, column in (
            ("conversation_rules", "conditions"),
            ("conversation_rules", "actions"),
            ("call_metadata", "metadata"),
            ("call_metadata", "custom_fields"),
        )
    ),
    ("business_hours", "day_of_week", "business_hours_day_of_week_check", [0, 6], [-1, 7]),
    (
        "business_hours",
        "close_time",
        "business_hours_time_of_day",
        # Until midnight, past midnight, and around the clock: open_time is 09:00.
        ["00:00", "02:00", "09:00", "23:59:59.999999"],
        ["24:00"],
    ),
    (
        "business_hours",
        "open_time",
        "business_hours_time_of_day",
        ["00:00", "23:59:59.999999"],
        ["24:00"],
    ),
    (
        "transfer_places",
        "name",
        "transfer_places_name_form",
        ["a", "Front desk", "x" * 100],
        ["", " ", " a", "a ", "x" * 101],
    ),
    (
        "transfer_places",
        "number",
        "transfer_places_number_e164",
        ["+1234567", "+999999999999999"],
        ["", "+123456", "+0123456789", "14155550123", "+1 415 555 0123", "+14155550123\n"],
    ),
    (
        "memberships",
        "role",
        "memberships_role_check",
        ["viewer", "editor"],
        ["", "Editor", "owner"],
    ),
    ("call_reviews", "claimed_by", "call_reviews_claim_ends", ["agent"], [None]),
    ("call_reviews", "reviewed_by", "call_reviews_reviewed_by_somebody", ["agent"], [None]),
    (
        "calls",
        "status",
        "calls_status_check",
        ["ringing", "answered", "completed", "failed"],
        ["", "Completed", "in-progress", "busy"],
    ),
    ("calls", "duration", "check_duration_positive", [0, 2**31 - 1], [-1]),
    (
        "calls",
        "ai_confidence",
        "calls_ai_confidence_range",
        ["0", "1", "0.55"],
        ["-0.01", "1.01", "NaN"],
    ),
]


def row_of(table: str, line: PhoneNumber, **values: Any) -> dict[str, Any]:
    row = ROWS[table] | values
    return row | {"call_id": make_call(line).id} if table == "call_metadata" else row


ACCEPTED = [(t, c, value) for t, c, _, good, _ in CHECKS for value in good]
REFUSED = [(t, c, name, value) for t, c, name, _, bad in CHECKS for value in bad]


@pytest.mark.parametrize(("table", "column", "value"), ACCEPTED)
def test_check_takes(line: PhoneNumber, table: str, column: str, value: object) -> None:
    assert insert(table, **row_of(table, line, **{column: value}))


@pytest.mark.parametrize(("table", "column", "name", "value"), REFUSED)
def test_check_refuses(
    line: PhoneNumber, table: str, column: str, name: str, value: object
) -> None:
    row = row_of(table, line, **{column: value})
    assert insert_refused_by(table, **row) == name


def test_every_check_has_its_cases(db: None) -> None:
    checks = fetch(
        "SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid"
        " WHERE contype = 'c' AND relname = ANY(%s)",
        list(ROWS),
    )
    assert {row["conname"] for row in checks} == {name for _, _, name, _, _ in CHECKS}


def test_archive_refuses_what_calls_refuse(line: PhoneNumber) -> None:
    fetch("SELECT app.create_archive_partitions(now(), now())")
    for column, value, name in (
        ("status", "busy", "calls_status_check"),
        ("duration", -1, "check_duration_positive"),
        ("ai_confidence", 2, "calls_ai_confidence_range"),
    ):
        row = ROWS["calls_archive"] | {column: value}
        assert insert_refused_by("calls_archive", **row) == name


def test_every_timezone_that_a_form_takes_is_known(db: None) -> None:
    """Whichever of the two databases is the newer one: no more than a handful apart."""
    names = sorted(timezones())
    rows = fetch(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT app.is_timezone(name)", names
    )
    assert len(names) > 400
    assert len(rows) < 20, rows


def test_checking_a_timezone_leaves_the_sessions_own(line: PhoneNumber) -> None:
    fetch("SELECT set_config('timezone', 'Asia/Tokyo', true)")
    insert("business_hours", **ROWS["business_hours"], timezone="Europe/Berlin")
    row = ROWS["business_hours"] | {"day_of_week": 2, "timezone": "Europe/Atlantis"}
    assert insert_refused_by("business_hours", **row)
    assert fetch("SHOW timezone") == [{"TimeZone": "Asia/Tokyo"}]


UNIQUE: list[tuple[str, dict[str, Any], str]] = [
    ("phone_numbers", {"id": "pn_2"}, "phone_numbers_number_key"),
    ("phone_numbers", {"number": "+14155550124"}, "phone_numbers_pkey"),
    ("voice_settings", {}, "voice_settings_phone_id_key"),
    ("business_hours", {}, "business_hours_phone_id_day_of_week_key"),
    ("transfer_places", {"name": "FRONT DESK"}, "transfer_places_phone_id_name_key"),
    ("memberships", {}, "memberships_phone_id_subject_key"),
    ("call_reviews", {}, "call_reviews_phone_id_call_id_key"),
    ("calls", {}, "calls_call_sid_key"),
    ("calls", {"phone_id": "pn_garage"}, "calls_call_sid_key"),
]


@pytest.mark.parametrize(("table", "other", "name"), UNIQUE)
def test_second_row_of_the_same_key_is_refused(
    line: PhoneNumber, other_line: PhoneNumber, table: str, other: dict[str, Any], name: str
) -> None:
    insert(table, **ROWS[table])
    second = ROWS[table] | other
    assert insert_refused_by(table, **second) == name


def test_rows_of_other_keys_are_taken(line: PhoneNumber, other_line: PhoneNumber) -> None:
    for table in ("voice_settings", "business_hours"):
        insert(table, **ROWS[table])
        insert(table, **ROWS[table] | {"phone_id": other_line.id})
    insert("business_hours", **ROWS["business_hours"] | {"day_of_week": 2})
    insert("conversation_rules", **ROWS["conversation_rules"])
    insert("conversation_rules", **ROWS["conversation_rules"])
