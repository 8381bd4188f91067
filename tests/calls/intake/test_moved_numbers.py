"""A number moves from one line to another: each event goes to the line that had the call."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import permutations

import pytest
from django.db import IntegrityError, connection, transaction

from calls.intake.webhooks.replaying import problem_ids, replay_events
from calls.legs import legs_of
from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.models import NumberAssignment, PhoneNumber
from tests.calls.intake.callbacks import (
    RECORDING,
    new_sid,
    post,
    post_json,
    recording_event,
    voice_event,
)
from tests.factories import archive, hold_numbers_for_long, make_line, set_moment_of_move

pytestmark = pytest.mark.django_db
NUMBER, NEW = "+14155550101", "+14155550999"
HOUR = timedelta(hours=1)


@pytest.fixture
def moved(line: PhoneNumber, other_line: PhoneNumber) -> datetime:
    """`line` had NUMBER until this moment, an hour ago; since then it is `other_line`'s."""
    assert line.number == NUMBER
    hold_numbers_for_long()
    at = datetime.now(UTC).replace(microsecond=0) - HOUR
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number=NEW)
        PhoneNumber.objects.filter(pk=other_line.pk).update(number=NUMBER)
    set_moment_of_move(NUMBER, at)
    return at


def sids(line: PhoneNumber) -> set[str]:
    with tenant(line.pk):
        return set(Call.objects.values_list("call_sid", flat=True))


def send(sid: str, status: str, at: datetime | None = None, **overrides: str) -> None:
    if at is not None:
        overrides["Timestamp"] = format_datetime(at)
    assert post(voice_event(sid, status, To=NUMBER, **overrides)).status_code == 204


def test_an_event_belongs_to_the_holder_at_its_time(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    before, after, without = new_sid(), new_sid(), new_sid()
    send(before, "ringing", moved - HOUR)
    send(after, "ringing", moved + HOUR / 2)
    send(without, "ringing")
    assert sids(line) == {before}
    assert sids(other_line) == {after, without}


def test_a_call_ends_where_it_began(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    """Its first event came before the move; the end has no time, or one that tells nothing."""
    for ending in ({}, {"CallDuration": "60"}):
        sid = new_sid()
        send(sid, "ringing", moved - timedelta(seconds=5))
        send(sid, "completed", moved + HOUR / 2, **ending)
        with tenant(line.pk):
            assert Call.objects.get(call_sid=sid).status == "completed"
    assert not sids(other_line)


def test_a_call_that_only_its_end_tells_of_began_before_the_move(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    sid = new_sid()
    send(sid, "completed", moved + timedelta(minutes=1), CallDuration="600")
    assert sids(line) == {sid}
    assert not sids(other_line)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_events_does_not_matter(
    order: tuple[int, ...], line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    sid, start = new_sid(), moved - timedelta(minutes=2)
    events = [
        ("ringing", start, {}),
        ("in-progress", start + timedelta(minutes=1), {}),
        ("completed", start + timedelta(minutes=11), {"CallDuration": "600"}),
    ]
    for place in order:
        status, at, more = events[place]
        send(sid, status, at, **more)
    assert sids(line) == {sid}
    assert not sids(other_line)
    with tenant(line.pk):
        assert Call.objects.get().status == "completed"


def test_recordings_legs_and_json_go_to_the_line_of_the_call(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    sid, leg = new_sid(), new_sid()
    send(sid, "ringing", moved - HOUR)
    send(leg, "completed", moved + HOUR / 2, ParentCallSid=sid)
    assert post_json(voice_event(sid, "completed", To=NUMBER)).status_code == 204
    assert post(recording_event(sid, "completed"), path=RECORDING).status_code == 204
    with tenant(line.pk):
        call = Call.objects.get()
        assert (call.status, len(legs_of(call))) == ("completed", 1)
        assert call.recording_url
    assert not sids(other_line)


def test_the_end_of_an_archived_call_is_not_the_new_holders(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    sid = new_sid()
    send(sid, "completed", moved - HOUR, CallDuration="5")
    with all_tenants("test"):
        archive(Call.objects.get())
    send(sid, "completed")
    assert not sids(other_line)
    with tenant(line.pk):
        outcomes = CallEvent.objects.order_by("id").values_list("outcome", flat=True)
        assert list(outcomes) == ["applied", "archived"]


def test_a_sid_of_a_line_that_never_had_the_number_is_not_followed(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    stranger = make_line()
    sid = new_sid()
    assert post(voice_event(sid, "ringing", To=stranger.number)).status_code == 204
    send(sid, "completed")
    assert sids(stranger) == {sid}
    with tenant(stranger.pk):
        assert Call.objects.get().status == "ringing"
    with tenant(other_line.pk):
        assert CallEvent.objects.get().outcome == "conflict"


def test_the_line_is_called_in_the_events_number(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    """Which side is the caller is seen by the number of the event, not by that of today."""
    event = voice_event(
        new_sid(), "completed", To=NUMBER, Direction="trunking-terminating",
        Timestamp=format_datetime(moved - HOUR),
    )  # fmt: skip
    assert post(event).status_code == 204
    with tenant(line.pk):
        assert Call.objects.get().caller_number == "+14155559999"


def test_what_a_deleted_line_held_is_not_its_heirs(line: PhoneNumber) -> None:
    hold_numbers_for_long()
    with all_tenants("test"):
        line.delete()
    heir = make_line(number=NUMBER)
    moment = datetime.now(UTC).replace(microsecond=0)
    set_moment_of_move(NUMBER, moment - HOUR)
    send(new_sid(), "completed", moment - 2 * HOUR, CallDuration="5")
    mine = new_sid()
    send(mine, "ringing", moment)
    assert sids(heir) == {mine}
    with all_tenants("test"):
        assert CallEvent.objects.filter(outcome="unknown_line", phone=None).count() == 1


def test_a_replay_goes_by_the_time_the_event_came(line: PhoneNumber) -> None:
    """An event of no line, which tells no time, came while nobody held the number."""
    hold_numbers_for_long()
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number=NEW)
    set_moment_of_move(NUMBER, datetime.now(UTC) - 2 * HOUR)
    send(new_sid(), "ringing")
    with all_tenants("test"):
        CallEvent.objects.update(received_at=datetime.now(UTC) - HOUR)
    heir = make_line(number=NUMBER)
    assert replay_events(problem_ids(limit=10)) == {"unknown_line": 1}
    assert not sids(heir)


def test_events_from_before_the_line_was_added_are_its_own() -> None:
    """Nobody held the number before."""
    sid = new_sid()
    send(sid, "ringing", datetime.now(UTC) - timedelta(days=30))
    first = make_line(number=NUMBER)
    assert replay_events(problem_ids(limit=10)) == {"applied": 1}
    assert sids(first) == {sid}


def test_a_move_is_between_events_that_are_stored(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    """The process remembers the line of the number; the statement that stores confirms it."""
    hold_numbers_for_long()
    send(new_sid(), "ringing")
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number=NEW)
        PhoneNumber.objects.filter(pk=other_line.pk).update(number=NUMBER)
        since = NumberAssignment.objects.get(number=NUMBER, until=None).since
    assert since is not None
    old, new = new_sid(), new_sid()
    send(old, "ringing", since - timedelta(minutes=1))
    send(new, "ringing")
    send(old, "completed")
    assert old in sids(line)
    assert sids(other_line) == {new}


@pytest.mark.parametrize(
    ("old", "new"), [("+5215512345678", "+525512345678"), ("+551187654321", "+5511987654321")]
)
@pytest.mark.parametrize("is_reversed", [False, True])
def test_both_forms_of_a_number_are_one(
    old: str, new: str, is_reversed: bool, line: PhoneNumber, other_line: PhoneNumber
) -> None:
    """Correcting one into the other moves nothing, and no two lines have one each."""
    first, second = (new, old) if is_reversed else (old, new)
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(number=first)
        PhoneNumber.objects.filter(pk=line.pk).update(number=second)
        with pytest.raises(IntegrityError), transaction.atomic():
            PhoneNumber.objects.filter(pk=other_line.pk).update(number=first)
    for to in (old, new):
        assert post(voice_event(new_sid(), "ringing", To=to)).status_code == 204
    assert len(sids(line)) == 2
    hold_numbers_for_long()
    with all_tenants("test"):
        line.delete()
    heir = make_line(number=first)
    for to in (old, new):
        event = voice_event(
            new_sid(), "completed", To=to,
            Timestamp=format_datetime(datetime.now(UTC) - timedelta(days=100)),
        )  # fmt: skip
        assert post(event).status_code == 204
    assert not sids(heir)


def test_a_time_that_was_moved_into_another_parameter_moves_no_call(
    line: PhoneNumber, other_line: PhoneNumber, moved: datetime
) -> None:
    """The signature is that of the event with its Timestamp."""
    at = format_datetime(moved - HOUR)
    event = voice_event(new_sid(), "completed", To=NUMBER, SequenceNumber=f"3Timestamp{at}")
    assert post(event).status_code == 204
    assert not sids(line)
    assert not sids(other_line)
    with all_tenants("test"):
        assert CallEvent.objects.get(outcome="unknown_line").phone_id is None


def test_a_mistyped_number_keeps_nothing_of_the_line_that_gets_it(
    line: PhoneNumber, other_line: PhoneNumber
) -> None:
    """It was changed within a day: what was before is the next line's, as if it were the first."""
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE number_assignments SET recorded_at = %s WHERE number = %s",
            [datetime.now(UTC) - HOUR, NUMBER],
        )
        PhoneNumber.objects.filter(pk=line.pk).update(number=NEW)
    heir = make_line(number=NUMBER)
    long_ago, wrongly, today = new_sid(), new_sid(), new_sid()
    send(long_ago, "completed", datetime.now(UTC) - timedelta(days=9))
    send(wrongly, "completed", datetime.now(UTC) - HOUR / 2)
    send(today, "ringing")
    assert sids(heir) == {long_ago, today}
    assert sids(line) == {wrongly}
