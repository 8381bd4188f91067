"""No value of a statement is ever shown, however it is written or cut off."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from database.statement_context import context_settings, statement_context
from monitoring.masking import mask
from tenancy.scope import END, scope_sql

SECRET = "+14155550123"


@pytest.mark.parametrize(
    ("statement", "masked"),
    [
        ("SELECT * FROM calls WHERE id = $1", "SELECT * FROM calls WHERE id = $1"),
        (f"SELECT '{SECRET}'", "SELECT ?"),
        ("SELECT 'it''s 5', 7", "SELECT ?, ?"),
        (r"SELECT  E'a\'b', e'\\', x'1F'", "SELECT ?, ?, ?"),
        ("SELECT $$it's$$, $tag$a $$ b$tag$ FROM t", "SELECT ?, ? FROM t"),
        ('SELECT "it\'s ""5""", t1.c2 FROM t1', 'SELECT "it\'s ""5""", t1.c2 FROM t1'),
        ("SELECT 1 -- call +14155550123\n, 2 /* and 'x' */ + 3", "SELECT ? , ? + ?"),
        ("SELECT 1.5e-3, -7, 0x1F", "SELECT ?, -?, ?"),
        (f"UPDATE calls SET caller_number = '{SECRET}", "UPDATE calls SET caller_number = ?"),
        ("SELECT 1 /* cut off " + SECRET, "SELECT ?"),
        ("SELECT $$cut off " + SECRET, "SELECT ?"),
        (r"SELECT 1 WHERE a LIKE'a\' AND b = 'secret'", "SELECT ? WHERE a LIKE? AND b = ?"),
        ("SELECT U&'d\\0061t'", "SELECT ?"),
    ],
)
def test_masking_of_values(statement: str, masked: str) -> None:
    assert mask(statement).text == masked


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1))
def test_masking_of_any_text(text: str) -> None:
    literal = sql.quote(f"secret{text}secret")
    assert "secret" not in mask(f"SELECT {literal} FROM calls").text
    assert mask(f"SELECT {literal} FROM calls").text.endswith("FROM calls")


def test_masking_tells_whose_scope_it_was() -> None:
    line = mask(scope_sql("none", "pn_bakery") + "SELECT 1")
    assert (line.text, line.line, line.is_staff) == ("SELECT ?", "pn_bakery", False)
    staff = mask(scope_sql("replytics_staff", "") + "SELECT 1")
    assert (staff.text, staff.line, staff.is_staff) == ("SELECT ?", "", True)


def test_masking_takes_off_who_works() -> None:
    with statement_context("GET /api/v1/calls/<uuid:call_id>/", lock_timeout=5000):
        work = context_settings()
    scoped = f"{scope_sql('none', 'pn_bakery').removesuffix(END)},{work}{END}SELECT 1"
    assert (mask(scoped).text, mask(scoped).line) == ("SELECT ?", "pn_bakery")
    assert mask(f"SELECT {work}{END}SELECT 1").text == "SELECT ?"
    with statement_context("job a.b"):
        assert mask(f"SELECT {context_settings()}{END}SELECT 1").text == "SELECT ?"
