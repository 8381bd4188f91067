"""The embedded server plans as PostgreSQL does as it ships; the tests run on such a server."""

import psycopg
import pytest

from local.embedded import TUNED

CHANGED = """
SELECT name FROM pg_settings
WHERE source <> 'default' AND (category LIKE 'Query Tuning%%' OR name IN ('work_mem', 'jit'))
"""


def test_the_tests_run_on_the_planner_as_postgresql_ships_it(
    administrator: "psycopg.Connection",
) -> None:
    assert administrator.execute(CHANGED).fetchall() == []
    assert administrator.execute("SHOW random_page_cost").fetchone() == ("4",)


@pytest.mark.parametrize("name", TUNED)
def test_make_run_changes_nothing_of_the_planner(
    administrator: "psycopg.Connection", name: str
) -> None:
    [[category]] = administrator.execute(
        "SELECT category FROM pg_settings WHERE name = %s", [name]
    ).fetchall()
    assert not category.startswith("Query Tuning")
    assert name != "work_mem"
