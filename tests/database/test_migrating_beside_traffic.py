"""The web server and the worker work on while migrate waits for a long transaction."""

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.db import connections
from pytest_django import Settings

from analytics import tasks
from analytics.models import DailyCallStats
from api import views
from calls.intake.webhooks import deadline
from database.safe_migrations import lock_retry
from database.statement_context import MIN_TRY, SILENCE
from monitoring import request_metrics
from tenancy import all_tenants
from tests.api_client import make_key
from tests.calls.intake.callbacks import TOKEN, VOICE, new_sid, sign, voice_event
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


@pytest.mark.soak
def test_web_and_worker_go_on_during_a_migration(planted: PlantedDatabase) -> None:
    line = make_line()
    key = make_key(line)
    with gunicorn(workers=1) as server, planted.connect() as long:
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM calls")
        process = planted.start("migrate", "--retry-for", "600")
        try:
            line_with(process.stderr, "No lock within 1.2 s for ALTER TABLE calls")
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


@pytest.mark.soak
def test_no_callback_is_refused_behind_a_reader_of_six_seconds(
    planted: PlantedDatabase, settings: Settings
) -> None:
    """Each waits less than who queues behind it: migrate for the reader, callbacks for migrate."""
    line = make_line(number="+14155550101")
    statuses: Counter[int] = Counter()
    done = threading.Event()

    def send() -> None:
        while not done.is_set():
            event = voice_event(new_sid(), "ringing", To=line.number)
            headers = {"X-Twilio-Signature": sign(VOICE, event)}
            answer = requests.post(server.url + VOICE, event, headers=headers, timeout=60)
            statuses[answer.status_code] += 1

    with gunicorn(workers=1, TWILIO_AUTH_TOKEN=TOKEN) as server, planted.connect() as long:
        settings.PUBLIC_URL = server.url
        long.execute("BEGIN")
        long.execute("SELECT count(*) FROM calls")
        process = planted.start("migrate", "--retry-for", "600")
        sender = threading.Thread(target=send)
        sender.start()
        try:
            line_with(process.stderr, "No lock within 1.2 s for ALTER TABLE calls")
            time.sleep(6)
            long.execute("COMMIT")
            assert process.wait(timeout=TIMEOUT) == 0
        finally:
            done.set()
            sender.join()
            process.kill()
            process.communicate()
    assert column_is_there(planted) == (1,)
    assert set(statuses) == {204}


def test_each_waits_less_for_a_lock_than_who_queues_behind_it() -> None:
    assert lock_retry.LOCK_TIMEOUT < deadline.LOCK_TIMEOUT < deadline.MAX_RESPONSE_TIME - SILENCE
    assert lock_retry.LOCK_TIMEOUT * 1000 < request_metrics.LOCK_TIMEOUT < 2_000
    assert request_metrics.LOCK_TIMEOUT / 1000 < views.MAX_RESPONSE_TIME - SILENCE
    assert max(views.MAX_RESPONSE_TIME, deadline.MAX_RESPONSE_TIME) + 2 * MIN_TRY < 3
