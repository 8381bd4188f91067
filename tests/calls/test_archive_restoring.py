"""restore_calls: back to where they were, byte for byte."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from calls.archival.models import ArchiveRun
from calls.archival.moving import archive_calls
from calls.archival.restoring import Choice, restore_calls
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.calls.archive import CUT_OFF, counts, everything, make_old_calls, query
from tests.factories import make_call

ROWS = """
SELECT md5(string_agg(c::text || coalesce(m::text, '-'), '' ORDER BY id))
FROM calls c LEFT JOIN call_metadata m ON m.call_id = c.id
"""


def test_a_round_trip_gives_the_same_bytes(line: PhoneNumber, other_line: PhoneNumber) -> None:
    make_old_calls(line, 250)
    make_old_calls(other_line, 30)
    before, rows = everything(), query(ROWS)
    archived = archive_calls(cut_off=CUT_OFF, phone_id=line.pk, started_by="test")
    period = Choice(phone_id=line.pk, since=datetime(2023, 1, 1, tzinfo=UTC), until=CUT_OFF)
    restored = restore_calls(period, batch_size=100, started_by="test")
    assert everything() == before
    assert query(ROWS) == rows
    assert counts() == {
        "calls": 280,
        "call_metadata": 211,
        "calls_archive": 0,
        "app.archived_call_sids": 0,
    }
    assert (restored.calls, restored.metadata_rows) == (archived.calls, archived.metadata_rows)
    assert restored.checksum == archived.checksum != 0


def test_restoring_again_changes_nothing(line: PhoneNumber) -> None:
    make_old_calls(line, 20)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    period = Choice(phone_id=line.pk, since=datetime(2023, 1, 1, tzinfo=UTC), until=CUT_OFF)
    assert restore_calls(period, started_by="test").calls == 20
    before = everything()
    assert restore_calls(period, started_by="test").calls == 0
    assert everything() == before


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    make_old_calls(line, 10)
    make_old_calls(other_line, 10)
    moments = [moment for (moment,) in query("SELECT DISTINCT created_at FROM calls ORDER BY 1")]
    archive_calls(cut_off=CUT_OFF, started_by="test")
    restore_calls(Choice(phone_id=line.pk, since=moments[2], until=moments[5]), started_by="test")
    assert query("SELECT phone_id, created_at FROM calls ORDER BY 2") == [
        (line.pk, moment) for moment in moments[2:5]
    ]


def test_one_call_comes_back_by_its_sid(line: PhoneNumber) -> None:
    make_old_calls(line, 10)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    output = StringIO()
    call_command("restore_calls", f"--call-sid={line.pk}7", stdout=output)
    assert "Restored 1 call and 1 metadata row" in output.getvalue()
    assert query("SELECT duration FROM calls") == [(7,)]
    with all_tenants("test"):
        assert ArchiveRun.objects.get(kind="restore").selection == "one call"


def test_a_dry_run_restores_nothing(line: PhoneNumber) -> None:
    make_old_calls(line, 10)
    archive_calls(cut_off=CUT_OFF, started_by="test")
    output = StringIO()
    arguments = [f"--phone-id={line.pk}", "--from=2023-01-01", "--to=2024-01-01"]
    call_command("restore_calls", *arguments, "--dry-run", stdout=output)
    assert output.getvalue().endswith("\nWould restore 10 calls.\n")
    assert counts()["calls"] == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "or --call-sid"),
        (["--phone-id=pn_bakery", "--from=2023-01-01"], "or --call-sid"),
        (["--call-sid=x", "--phone-id=pn_bakery"], "or --call-sid"),
        (["--phone-id=nobody", "--from=2023-01-01", "--to=2024-01-01"], "not found"),
        (["--phone-id=pn_bakery", "--from=2024-01-01", "--to=2023-01-01"], "must be before"),
        (["--phone-id=pn_bakery", "--from=monday", "--to=2023-01-01"], "is not a time"),
    ],
)
def test_bad_input_is_refused(line: PhoneNumber, arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("restore_calls", *arguments)


def test_days_are_those_of_the_line(line: PhoneNumber) -> None:
    """31 January begins at 23:00 UTC of the 30th in Berlin."""
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(timezone="Europe/Berlin")
    make_call(line, created_at=datetime(2024, 1, 30, 23, 30, tzinfo=UTC))
    of_line, output = f"--phone-id={line.pk}", StringIO()
    for day in ("2024-01-31", "2024-02-01"):
        call_command("archive_calls", of_line, f"--before={day}", "--dry-run", stdout=output)
    call_command("archive_calls", "--before=2024-02-01", stdout=StringIO())
    period = ["--from=2024-01-31", "--to=2024-02-01", "--dry-run"]
    call_command("restore_calls", of_line, *period, stdout=output)
    assert output.getvalue().splitlines() == [
        "Would archive 0 calls and 0 metadata rows from before 2024-01-31 00:00:00 Europe/Berlin;"
        " 0 in progress and 0 under legal hold stay.",
        "Would archive 1 call and 0 metadata rows from before 2024-02-01 00:00:00 Europe/Berlin;"
        " 0 in progress and 0 under legal hold stay.",
        "Calls from 2024-01-31 00:00:00 Europe/Berlin to 2024-02-01 00:00:00 Europe/Berlin.",
        "Would restore 1 call.",
    ]
