"""app.top_calls() and its twin for the archive pass the policies: both hold against anybody."""

import psycopg
import pytest

ROWS = """
INSERT INTO phone_numbers (id, number, business_name) VALUES ('a', '+11', 'A'), ('b', '+12', 'B');
INSERT INTO calls (id, phone_id, caller_number, call_sid, status, transcript)
SELECT gen_random_uuid(), line, '+1', line, 'completed', 'cake' FROM unnest(ARRAY['a', 'b']) line;
INSERT INTO call_metadata (call_id, tags) SELECT id, '{vip}' FROM calls;
SELECT app.create_archive_partitions('2020-01-01Z', '2020-01-01Z');
INSERT INTO calls_archive (id, phone_id, caller_number, call_sid, status, transcript, created_at,
    tags, metadata_created_at)
SELECT gen_random_uuid(), line, '+1', 'old' || line, 'completed', 'cake', '2020-01-05Z',
    '{vip}', '2020-01-05Z' FROM unnest(ARRAY['a', 'b']) line;
"""
FIND = "SELECT app.top_calls({})"
FIND_ARCHIVED = "SELECT id FROM app.top_archived_calls({})"


@pytest.fixture
def api(administrator: psycopg.Connection) -> psycopg.Connection:
    """The API's login in the scope of line a, by SQL alone."""
    administrator.execute(ROWS)
    administrator.execute("SET LOCAL SESSION AUTHORIZATION replytics_api")
    administrator.execute("SELECT set_config('app.phone_id', 'a', true)")
    return administrator


def found(connection: psycopg.Connection, arguments: str) -> list[str]:
    """The lines of the calls found; looked up as a superuser, since the caller sees ids alone."""
    ids = [
        row[0]
        for find in (FIND, FIND_ARCHIVED)
        for row in connection.execute(find.format(arguments))
    ]
    connection.execute("RESET SESSION AUTHORIZATION")
    rows = connection.execute(
        "SELECT phone_id FROM calls WHERE id = ANY (%(ids)s)"
        " UNION ALL SELECT phone_id FROM calls_archive WHERE id = ANY (%(ids)s)",
        {"ids": ids},
    ).fetchall()
    return [line for (line,) in rows]


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "words => 'cake'",
        "all_tags => '{vip}'",
        "any_tags => '{vip,x}'",
        "metadata => '{}'",
        "custom_fields => '{}'",
        "all_tags => '{vip}', words => 'cake', at_most => 10",
        "before_at => 'infinity', before_id => gen_random_uuid()",
    ],
)
def test_it_finds_calls_of_the_scopes_line_alone(api: psycopg.Connection, arguments: str) -> None:
    assert found(api, arguments) == ["a", "a"]


@pytest.mark.parametrize(
    "arguments",
    ["words => $$bread' OR 1=1 --$$", "all_tags => ARRAY[$$vip' OR true --$$]"],
)
def test_its_arguments_are_values_never_sql(api: psycopg.Connection, arguments: str) -> None:
    assert found(api, arguments) == []


@pytest.mark.parametrize("find", [FIND, FIND_ARCHIVED])
def test_it_raises_without_a_scope(api: psycopg.Connection, find: str) -> None:
    api.execute("SELECT set_config('app.phone_id', '', true)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no tenant is active"):
        api.execute(find.format("words => 'cake'"))


def test_a_temporary_table_is_not_taken_for_a_real_one(api: psycopg.Connection) -> None:
    api.execute("SET LOCAL search_path = pg_temp, public")
    api.execute(
        "CREATE TEMPORARY TABLE calls AS SELECT gen_random_uuid() AS id, text 'a' AS phone_id"
    )
    [(one,)] = api.execute(FIND.format("")).fetchall()
    api.execute("RESET SESSION AUTHORIZATION")
    assert api.execute("SELECT FROM public.calls WHERE id = %s", [one]).fetchall() == [()]


@pytest.mark.parametrize(
    "function",
    [
        "app.top_calls()",
        "app.top_archived_calls()",
        "app.index_call_words()",
        "app.index_archived_words()",
        "app.forget_words()",
    ],
)
def test_nobody_else_may_call_what_passes_the_policies(
    administrator: psycopg.Connection, function: str
) -> None:
    administrator.execute("CREATE ROLE passer_by")
    administrator.execute("SET LOCAL ROLE passer_by")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        administrator.execute(f"SELECT {function}")
