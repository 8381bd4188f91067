"""An imported call belongs to the line that held its number when it began."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from calls.models import Call
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.call_files import import_text, lines, new_sid, own_call, rejected, twilio_call
from tests.factories import hold_numbers_for_long, make_line, set_moment_of_move

NUMBER, NEW = "+14155550101", "+14155550999"
MOVED = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def moved(line: PhoneNumber, other_line: PhoneNumber) -> None:
    """NUMBER was the one of `line` until MOVED and is `other_line`'s since then."""
    assert line.number == NUMBER
    hold_numbers_for_long()
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number=NEW)
        PhoneNumber.objects.filter(pk=other_line.pk).update(number=NUMBER)
    set_moment_of_move(NUMBER, MOVED)


def rfc(at: datetime) -> str:
    return f"{at:%a, %d %b %Y %H:%M:%S} +0000"


def sids(line: PhoneNumber) -> set[str]:
    with tenant(line.pk):
        return set(Call.objects.values_list("call_sid", flat=True))


BEFORE, AFTER = MOVED - timedelta(seconds=1), MOVED


@pytest.mark.parametrize("number", [NUMBER, "(415) 555-0101", f"sip:{NUMBER}@example.com"])
def test_each_row_goes_to_the_holder_of_its_time(
    number: str, line: PhoneNumber, other_line: PhoneNumber, moved: None, tmp_path: Path
) -> None:
    old, new, own, today = (new_sid() for _ in range(4))
    import_text(
        tmp_path,
        lines(
            twilio_call(sid=old, to=number, start_time=rfc(BEFORE)),
            twilio_call(sid=new, to=number, start_time=rfc(AFTER)),
            own_call(call_sid=own, number=number, phone_id=None, created_at=BEFORE.isoformat()),
            own_call(call_sid=today, number=NEW, phone_id=None, created_at=BEFORE.isoformat()),
        ),
    )
    assert rejected(tmp_path) == []
    assert sids(line) == {old, own, today}
    assert sids(other_line) == {new}


def test_reconciling_goes_by_the_same_rule(
    line: PhoneNumber, other_line: PhoneNumber, moved: None, tmp_path: Path
) -> None:
    old, new = new_sid(), new_sid()
    file = tmp_path / "calls.jsonl"
    file.write_text(
        lines(
            twilio_call(sid=old, to=NUMBER, start_time=rfc(BEFORE)),
            twilio_call(sid=new, to=NUMBER, start_time=rfc(AFTER)),
        )
    )
    call_command("reconcile_calls", str(file))
    assert sids(line) == {old}
    assert sids(other_line) == {new}


def test_a_row_that_names_its_line_is_that_lines(
    line: PhoneNumber, other_line: PhoneNumber, moved: None, tmp_path: Path
) -> None:
    """An export made before the move, or after it, is imported to the line it came from."""
    a, b, wrong = new_sid(), new_sid(), new_sid()
    stranger = make_line()
    at = BEFORE.isoformat()
    import_text(
        tmp_path,
        lines(
            own_call(call_sid=a, phone_id=line.pk, number=NUMBER, created_at=at),
            own_call(call_sid=b, phone_id=line.pk, number=NEW, created_at=at),
            own_call(call_sid=wrong, phone_id=stranger.pk, number=NUMBER, created_at=at),
        ),
    )
    [reject] = rejected(tmp_path)
    assert "phone_id and number are of different lines" in reject["reason"]
    assert sids(line) == {a, b}


def test_a_call_of_a_deleted_line_is_not_its_heirs(line: PhoneNumber, tmp_path: Path) -> None:
    hold_numbers_for_long()
    with all_tenants("test"):
        line.delete()
    heir = make_line(number=NUMBER)
    with pytest.raises(CommandError):
        import_text(tmp_path, lines(twilio_call(to=NUMBER, start_time=rfc(BEFORE))))
    [reject] = rejected(tmp_path)
    assert "no line of today had the number '+14155550101' when the call began" in reject["reason"]
    assert not sids(heir)


def test_a_number_that_nobody_held_before_imports_to_its_first_holder(
    line: PhoneNumber, tmp_path: Path
) -> None:
    sid = new_sid()
    import_text(tmp_path, lines(twilio_call(sid=sid, to=NUMBER, start_time=rfc(BEFORE))))
    assert sids(line) == {sid}


@pytest.mark.parametrize("to", ["+5215512345678", "+525512345678", "+52 55 1234 5678"])
def test_both_forms_of_a_number_are_one(line: PhoneNumber, tmp_path: Path, to: str) -> None:
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number="+5215512345678")
        PhoneNumber.objects.filter(pk=line.pk).update(number="+525512345678")
    sid = new_sid()
    import_text(tmp_path, lines(twilio_call(sid=sid, to=to, start_time=rfc(BEFORE))))
    assert sids(line) == {sid}


def test_the_direction_that_a_row_lacks_is_that_of_the_holder_of_its_time(
    line: PhoneNumber, other_line: PhoneNumber, moved: None, tmp_path: Path
) -> None:
    """A line called a number that no line has any more."""
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=other_line.pk).update(number="+14155550888")
    caller = make_line(number="+14155550777")
    sid = new_sid()
    row = twilio_call(sid=sid, direction="", to=NUMBER, **{"from": caller.number})
    import_text(
        tmp_path, lines(row | {"start_time": rfc(datetime.now(UTC) + timedelta(minutes=1))})
    )
    assert sids(caller) == {sid}
