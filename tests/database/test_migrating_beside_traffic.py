"""The web server and the worker work on while migrate waits for a long transaction."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from analytics import tasks
from analytics.models import DailyCallStats
from tenancy import all_tenants
from tests.api_client import make_key
from tests.database.planting import TIMEOUT, PlantedDatabase, line_with
from tests.factories import make_call, make_line
from tests.gunicorn import Server, gunicorn
from tests.worker import work

ADD_COLUMN = """
operations = [migrations.RunSQL(
    "ALTER TABLE calls ADD COLUMN planted text", "ALTER TABLE calls DROP COLUMN planted")]
"""
COLUMN = (
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'calls'::regclass AND attname = 'planted'"
)
TAKE_BACK = """
ALTER TABLE calls DROP COLUMN IF EXISTS planted;
DELETE FROM django_migrations WHERE app = 'planted'
"""


@pytest.fixture
def planted(committed: None, tmp_path: Path) -> Iterator[PlantedDatabase]:
    """A migration of `calls` that is to come, on the test database itself."""
    with connections["owner"].cursor() as cursor:
        name = connections["owner"].settings_dict["NAME"]
        planted = PlantedDatabase(tmp_path, name)
        planted.plant("0001_add", ADD_COLUMN)
        yield planted
        cursor.execute(TAKE_BACK)


def calls_of(server: Server, key: str) -> list[str]:
    """The SIDs of the line's calls, as the API answers."""
    request = urllib.request.Request(  # noqa: S310
        f"{server.url}/api/v1/calls/", headers={"Authorization": f"Api-Key {key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return [call["call_sid"] for call in json.load(answer)["results"]]


def rolled_up() -> int:
    with all_tenants("test"):
        return sum(DailyCallStats.objects.values_list("total_calls", flat=True))


def test_web_and_worker_go_on_during_a_migration(planted: PlantedDatabase) -> None:
    line = make_line()
    key = make_key(line)
    with gunicorn(workers=1) as server, planted.connect() as long:
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM calls")
        process = planted.start("migrate", "--retry-for", "600")
        try:
            line_with(process.stderr, "No lock within 1.5 s for ALTER TABLE calls")
            first = make_call(line)  # a writer, while migrate tries again and again
            assert calls_of(server, key) == [first.call_sid]
            tasks.roll_up_calls.defer()
            work()
            assert rolled_up() == 1
            assert process.poll() is None
            assert column_is_there(planted) == (0,)
            long.execute("COMMIT")
            assert process.wait(timeout=TIMEOUT) == 0
        finally:
            process.kill()
            process.communicate()
        assert column_is_there(planted) == (1,)
        second = make_call(line)
        assert {*calls_of(server, key)} == {first.call_sid, second.call_sid}
        tasks.roll_up_calls.defer()
        work()
        assert rolled_up() == 2


def column_is_there(planted: PlantedDatabase) -> tuple[object, ...] | None:
    with planted.connect() as connection:
        return connection.execute(COLUMN).fetchone()
