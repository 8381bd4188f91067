"""What stops a batch: a copy that is not the original, and a wait that lasts."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections

from calls.archival.models import ArchiveRun, RunState
from tenancy import all_tenants
from tests.calls.archive import counts, everything, held, make_old_calls, query
from tests.factories import make_line

MEDDLE = """
CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
CREATE TRIGGER meddle BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.meddle()
"""
THIRD = "IF NEW.call_sid LIKE '%3' THEN {} END IF; RETURN NEW;"
CHANGES = [
    THIRD.format("NEW.duration = NEW.duration + 1;"),
    THIRD.format("NEW.updated_at = NEW.updated_at + interval '1 microsecond';"),
    THIRD.format("NEW.transcript = NULL;"),
    THIRD.format("RETURN NULL;"),
]
TIMEOUTS = """
RAISE EXCEPTION '% and %', current_setting('lock_timeout'), current_setting('statement_timeout');
"""


@pytest.fixture
def meddle(committed: None) -> Iterator[Callable[[str, str], None]]:
    """meddle(table, body): a trigger of somebody else's, before each row that comes in."""

    def owner(sql: str) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(sql)

    yield lambda table, body: owner(MEDDLE.format(table=table, body=body))
    owner("DROP FUNCTION IF EXISTS public.meddle() CASCADE")


def last_run() -> ArchiveRun:
    with all_tenants("test"):
        run: ArchiveRun = ArchiveRun.objects.latest("id")
    return run


@pytest.mark.parametrize("change", [*CHANGES, "NEW.tags = '{}'; RETURN NEW;"])
def test_a_copy_that_differs_is_undone(meddle: Any, change: str) -> None:
    make_old_calls(make_line(), 20)
    before = everything()
    meddle("calls_archive", change)
    with pytest.raises(CommandError, match="copied rows differ from the originals"):
        call_command("archive_calls", "--before=2024-01-01", "--workers=1")
    assert everything() == before
    assert counts()["calls_archive"] == 0
    assert (last_run().state, last_run().calls) == (RunState.FAILED, 0)


@pytest.mark.parametrize("change", CHANGES)
def test_a_call_that_comes_back_otherwise_is_undone(meddle: Any, change: str) -> None:
    line = make_line()
    make_old_calls(line, 20)
    call_command("archive_calls", "--before=2024-01-01", stdout=StringIO())
    before = everything()
    meddle("calls", change)
    period = [f"--phone-id={line.pk}", "--from=2023-01-01", "--to=2024-01-01"]
    refused = (CommandError, DatabaseError)  # by the archiver, or by the trigger of metadata
    with pytest.raises(refused, match=r"copied rows differ from the originals|Metadata belongs"):
        call_command("restore_calls", *period)
    assert everything() == before
    assert (counts()["calls"], counts()["app.archived_call_sids"]) == (0, 20)


def test_the_statements_of_a_batch_last_less_than_a_second_together(meddle: Any) -> None:
    make_old_calls(make_line(), 3)
    meddle("calls_archive", TIMEOUTS)
    with pytest.raises(CommandError, match="450ms and 490ms"):
        call_command("archive_calls", "--before=2024-01-01")
    assert counts()["calls"] == 3


def test_an_archive_that_stays_locked_ends_the_run(committed: None) -> None:
    make_old_calls(make_line(), 20)
    query("SELECT app.create_archive_partitions('2023-06-01', '2023-07-01')")
    before = everything()
    with (
        held("LOCK TABLE calls_archive IN SHARE MODE"),
        pytest.raises(CommandError, match=r"(lock|statement) timeout\. Committed batches stand"),
    ):
        call_command("archive_calls", "--before=2024-01-01")
    assert everything() == before
    assert last_run().state == RunState.FAILED
    call_command("archive_calls", "--before=2024-01-01", stdout=StringIO())
    assert everything() == before
    assert counts()["calls"] == 0


def test_what_was_archived_before_an_error_stands(meddle: Any) -> None:
    make_old_calls(make_line(), 20)
    before = everything()
    meddle("calls_archive", THIRD.format("RAISE 'no room' USING ERRCODE = 'disk_full';"))
    with pytest.raises(CommandError, match="no room"):
        call_command("archive_calls", "--before=2024-01-01", "--batch-size=2", "--workers=1")
    assert everything() == before
    assert counts()["calls_archive"] == last_run().calls == 2
