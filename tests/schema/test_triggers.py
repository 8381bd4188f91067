"""What the triggers hold, whoever writes: the ORM, raw SQL, an upsert, a session's settings."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from calls.models import Call, CallMetadata
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber, VoiceSettings
from tests.factories import make_call
from tests.schema.rawsql import ROWS, fetch, insert, insert_refused_by, refusal

STATUSES = ["ringing", "answered", "completed", "failed"]
FORWARD = [
    ("ringing", "answered"),
    ("ringing", "completed"),
    ("ringing", "failed"),
    ("answered", "completed"),
    ("answered", "failed"),
    *((status, status) for status in STATUSES),
]
BACK = [(a, b) for a in STATUSES for b in STATUSES if (a, b) not in FORWARD]
FUNCTIONS_OF_OURS = """
SELECT p.oid::regprocedure::text AS name FROM pg_proc AS p
WHERE pronamespace IN ('app'::regnamespace, 'public'::regnamespace)
AND proname NOT LIKE 'procrastinate%%'
"""
UPSERT = """
INSERT INTO calls (phone_id, caller_number, call_sid, status) VALUES (%s, %s, %s, %s)
ON CONFLICT (call_sid) DO UPDATE SET status = EXCLUDED.status RETURNING status
"""


def test_updated_at_is_stamped_on_every_table_that_has_it(db: None) -> None:
    tables = fetch("""
        SELECT relname, EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = attrelid AND tgenabled = 'O'
            AND tgfoid = 'update_updated_at_column'::regproc
        ) AS stamped
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE attname = 'updated_at' AND relkind IN ('r', 'p') AND NOT relispartition
    """)
    stamped = {row["relname"]: row["stamped"] for row in tables}
    # The archive keeps the last change of the call, byte for byte.
    assert not stamped.pop("calls_archive")
    assert stamped.keys() >= {"calls", "voice_settings"}
    assert all(stamped.values()), stamped


@pytest.mark.usefixtures("staff_scope")
@pytest.mark.parametrize("table", ["calls", "voice_settings"])
def test_updated_at_is_stamped_whatever_the_statement_says(line: PhoneNumber, table: str) -> None:
    row = insert(table, **ROWS[table], updated_at="2020-01-01")
    assert row["updated_at"].year == 2020
    for change in ("phone_id = phone_id", "updated_at = '2021-01-01'"):
        [stamped] = fetch(f"UPDATE {table} SET {change} RETURNING updated_at = now() AS stamped")
        assert stamped == {"stamped": True}


def test_updated_at_is_stamped_for_the_orm(line: PhoneNumber) -> None:
    with tenant(line.id):
        settings = VoiceSettings.objects.create(updated_at="2020-01-01T00:00:00Z")
        settings.voice_name = "Nova"
        settings.save()
        settings.refresh_from_db()
        assert settings.updated_at.year > 2020


@pytest.mark.parametrize(("before", "after"), BACK)
def test_status_never_goes_back(line: PhoneNumber, before: str, after: str) -> None:
    call = make_call(line, status=before)
    with tenant(line.id):
        update = "UPDATE calls SET status = %s WHERE id = %s"
        assert refusal(update, after, call.id) == "calls_status_moves_forward"
        upsert = (UPSERT, line.id, call.caller_number, call.call_sid, after)
        assert refusal(*upsert) == "calls_status_moves_forward"
        with pytest.raises(IntegrityError, match="only moves forward"), transaction.atomic():
            Call.objects.filter(pk=call.pk).update(status=after)
        assert Call.objects.get(pk=call.pk).status == before


@pytest.mark.parametrize(("before", "after"), FORWARD)
def test_status_moves_forward_or_stays(line: PhoneNumber, before: str, after: str) -> None:
    call = make_call(line, status=before)
    other = make_call(line, status=before)
    with tenant(line.id):
        assert Call.objects.filter(pk=call.pk).update(status=after) == 1
        upserted = fetch(UPSERT, line.id, other.caller_number, other.call_sid, after)
        assert upserted == [{"status": after}]


def test_one_bad_row_stops_the_whole_update(line: PhoneNumber) -> None:
    make_call(line, status="ringing")
    make_call(line, status="completed")
    with tenant(line.id):
        assert refusal("UPDATE calls SET status = 'answered'") == "calls_status_moves_forward"
        assert set(Call.objects.values_list("status", flat=True)) == {"ringing", "completed"}


@pytest.mark.usefixtures("staff_scope")
def test_call_stays_with_its_line(line: PhoneNumber, other_line: PhoneNumber) -> None:
    call = make_call(line)
    update = "UPDATE calls SET phone_id = %s WHERE id = %s"
    assert refusal(update, other_line.id, call.id) == "calls_line_is_fixed"
    with pytest.raises(IntegrityError, match="phone_id cannot change"), transaction.atomic():
        Call.objects.filter(pk=call.pk).update(phone=other_line)
    fetch(update, line.id, call.id)


def test_metadata_takes_the_line_of_its_call(line: PhoneNumber) -> None:
    call = make_call(line)
    with tenant(line.id):
        assert insert("call_metadata", call_id=call.id)["phone_id"] == line.id
        [row] = fetch("UPDATE call_metadata SET phone_id = NULL RETURNING phone_id")
        assert row == {"phone_id": line.id}


@pytest.mark.usefixtures("staff_scope")
def test_metadata_of_another_line_is_refused(line: PhoneNumber, other_line: PhoneNumber) -> None:
    call, foreign = make_call(line), make_call(other_line)
    held_by = "call_metadata_follows_call"
    assert insert_refused_by("call_metadata", call_id=call.id, phone_id=other_line.id) == held_by
    insert("call_metadata", call_id=call.id, phone_id=line.id)
    assert refusal("UPDATE call_metadata SET phone_id = %s", other_line.id) == held_by
    assert refusal("UPDATE call_metadata SET call_id = %s", foreign.id) == held_by
    fetch("UPDATE call_metadata SET call_id = %s", make_call(line).id)


def test_tenant_cannot_add_metadata_to_another_lines_call(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    foreign = make_call(other_line)
    with tenant(line.id):
        # The foreign key alone would see the call: it looks past row level security.
        refused_by = insert_refused_by("call_metadata", call_id=foreign.id, phone_id=line.id)
        assert refused_by == "call_metadata_follows_call"
        for row in ({"phone_id": other_line.id}, {}):
            with pytest.raises(DatabaseError), transaction.atomic():
                insert("call_metadata", call_id=foreign.id, **row)
    with all_tenants("test"):
        assert not CallMetadata.objects.exists()


@pytest.mark.parametrize("setting", ["pgtrigger.ignore", "pgtrigger.bypass"])
def test_no_setting_switches_the_triggers_off(line: PhoneNumber, setting: str) -> None:
    call = make_call(line, status="completed")
    names = "{calls_status_moves_forward,calls_line_is_fixed,update_calls_updated_at}"
    with tenant(line.id):
        fetch("SELECT set_config(%s, %s, true)", setting, names)
        update = "UPDATE calls SET status = 'ringing' WHERE id = %s"
        assert refusal(update, call.id) == "calls_status_moves_forward"


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL session_replication_role = replica",
        "ALTER TABLE calls DISABLE TRIGGER calls_status_moves_forward",
        "DROP TRIGGER calls_line_is_fixed ON calls",
        "ALTER FUNCTION app.call_metadata_follows_call() RENAME TO gone",
        "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)
@pytest.mark.parametrize("staff", [True, False])
def test_no_serving_login_takes_a_trigger_away(
    line: PhoneNumber, statement: str, staff: bool
) -> None:
    scope: Any = all_tenants("test") if staff else tenant(line.id)
    with (
        scope,
        pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_functions_pin_their_search_path(db: None) -> None:
    """Those that triggers run, and those that run with their owner's rights."""
    functions = fetch(f"""
        {FUNCTIONS_OF_OURS} AND (prosecdef OR prorettype = 'trigger'::regtype)
        AND NOT coalesce(array_to_string(proconfig, ' '), '') LIKE '%%search_path=pg_catalog,%%'
    """)
    # It names nothing but pg_catalog.now().
    assert functions == [{"name": "update_updated_at_column()"}]


def test_not_everybody_runs_with_the_owners_rights(db: None) -> None:
    assert fetch(f"{FUNCTIONS_OF_OURS} AND prosecdef")
    open_to_all = "has_function_privilege('public', p.oid, 'EXECUTE')"
    assert fetch(f"{FUNCTIONS_OF_OURS} AND prosecdef AND {open_to_all}") == []
