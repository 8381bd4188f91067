"""The line and the caller of every kind of address, alike in callbacks and in files."""

from pathlib import Path

import pytest

from calls.models import Call, CallEvent
from tenancy import all_tenants, tenant
from tenants.models import PhoneNumber
from tests.calls.call_files import import_text, page, twilio_call
from tests.calls.intake.callbacks import new_sid, post, voice_event
from tests.factories import make_line

LINE = "+14155550101"
CALLER = "+14155559999"
SPELLINGS = [
    "{}",
    "sip:{}@example.pstn.twilio.com;region=ie1",
    "sip:{}@10.0.0.1:5060;transport=tls?X-Header=1",
    "SIPS:{};user=phone@example.com",
    "whatsapp:{}",
    "tel:{}",
    "\u202a{}\u202c",
]
NUMBERS = ["+1 (415) 555-0101", "+1-415-555-0101", LINE]


def received(line: PhoneNumber, way: str, directory: Path, **addresses: str) -> Call:
    """The line's call after a callback or an import."""
    sid = new_sid()
    if way == "callback":
        named = {"From": addresses["from"], "To": addresses["to"]}
        event = voice_event(sid, "completed", Direction=addresses["direction"], **named)
        assert post(event).status_code == 204
    else:
        assert "loaded 1" in import_text(directory, page(twilio_call(sid=sid, **addresses)))
    with tenant(line.id):
        call: Call = Call.objects.get(call_sid=sid)
    return call


WAYS = pytest.mark.parametrize("way", ["callback", "file"])


@WAYS
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("number", NUMBERS)
def test_the_line_is_found(
    line: PhoneNumber, tmp_path: Path, way: str, spelling: str, number: str
) -> None:
    if number != LINE and spelling.startswith(("sip", "SIP")):
        number = number.replace(" ", "%20")
    address = spelling.format(number)
    for direction, addresses in (
        ("inbound", {"to": address, "from": CALLER}),
        ("outbound-api", {"from": address, "to": CALLER}),
    ):
        call = received(line, way, tmp_path, direction=direction, **addresses)
        assert call.caller_number == CALLER


@WAYS
@pytest.mark.parametrize(
    ("address", "caller"),
    [
        *((spelling.format(CALLER), CALLER) for spelling in SPELLINGS),
        ("+1 (415) 555-9999", CALLER),
        ("sip:14155559999@pbx.example", CALLER),
        ("sip:%2B14155559999@pbx.example", CALLER),
        ("sip:anonymous@anonymous.invalid", "anonymous"),
        ("sip:alice@example.com", "sip:alice@example.com"),
        ("sip:1001@pbx.example", "sip:1001@pbx.example"),
        ("client:agent4155550101", "client:agent4155550101"),
        ("sim:HS0123", "sim:HS0123"),
        ("611", "611"),
    ],
)
def test_the_caller_is_read(
    line: PhoneNumber, tmp_path: Path, way: str, address: str, caller: str
) -> None:
    call = received(line, way, tmp_path, direction="inbound", to=LINE, **{"from": address})
    assert call.caller_number == caller


@WAYS
@pytest.mark.parametrize(
    ("direction", "line_is"),
    [
        ("trunking-terminating", "from"),
        ("trunking-originating", "to"),
        ("outbound-api", "from"),
        ("outbound-dial", "from"),
        ("inbound", "to"),
    ],
)
def test_the_direction_says_which_side_is_the_line(
    line: PhoneNumber, tmp_path: Path, way: str, direction: str, line_is: str
) -> None:
    addresses = {"from": CALLER, "to": CALLER, line_is: f"sip:{LINE}@trunk.example"}
    assert received(line, way, tmp_path, direction=direction, **addresses).caller_number == CALLER


@pytest.mark.parametrize("direction", [None, "inbound", "sideways"])
@pytest.mark.parametrize("line_is", ["From", "To"])
def test_the_number_of_the_line_says_so_where_the_direction_does_not(
    line: PhoneNumber, direction: str | None, line_is: str
) -> None:
    addresses = {"From": CALLER, "To": CALLER, line_is: LINE}
    sid = new_sid()
    assert post(voice_event(sid, "ringing", Direction=direction, **addresses)).status_code == 204
    with tenant(line.id):
        assert Call.objects.get(call_sid=sid).caller_number == CALLER
        reason = CallEvent.objects.get().reason
    assert reason == ("Direction is not known" if direction == "sideways" else None)


WITHHELD = [
    "", "anonymous", "Anonymous", "ANONYMOUS", "Restricted", "Private", "Unavailable", "Unknown",
    "+266696687", "266696687", "+7378742833", "+2562533", "+8656696", "+86282452253",
    "Private Number", "sip:Restricted@example.com", "sip:+266696687@example.com",
    "\u202eanonymous",
]  # fmt: skip


@WAYS
@pytest.mark.parametrize("address", WITHHELD)
def test_withheld_callers_are_one_value(
    line: PhoneNumber, tmp_path: Path, way: str, address: str
) -> None:
    call = received(line, way, tmp_path, direction="inbound", to=LINE, **{"from": address})
    assert call.caller_number == "anonymous"


@WAYS
@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("+5215512345678", "+525512345678"),
        ("+525512345678", "+525512345678"),
        ("whatsapp:+5215512345678", "+525512345678"),
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+551187654321", "+5511987654321"),
        ("+5511987654321", "+5511987654321"),
        ("+55 11 8765-4321", "+5511987654321"),
        ("+551133334444", "+551133334444"),  # a landline
        ("+551177654321", "+551177654321"),  # a trunking service, which has eight digits
    ],
)
def test_one_person_has_one_number(
    line: PhoneNumber, tmp_path: Path, way: str, address: str, caller: str
) -> None:
    call = received(line, way, tmp_path, direction="inbound", to=LINE, **{"from": address})
    assert call.caller_number == caller


@WAYS
@pytest.mark.parametrize(
    ("number", "other"),
    [("+5215512345678", "+525512345678"), ("+5511987654321", "+551187654321")],
)
def test_a_line_is_found_by_both_forms_of_its_number(
    db: None, tmp_path: Path, way: str, number: str, other: str
) -> None:
    for written, called in ((number, other), (other, number)):
        line = make_line(number=written)
        received(line, way, tmp_path, direction="inbound", to=called, **{"from": CALLER})
        with all_tenants("test"):
            Call.objects.all().delete()
            PhoneNumber.objects.filter(pk=line.pk).delete()


def test_a_number_learnt_later_replaces_a_withheld_caller(line: PhoneNumber) -> None:
    sid = new_sid()
    for address in ("", CALLER, "Anonymous"):
        assert post(voice_event(sid, "ringing", From=address)).status_code == 204
    with tenant(line.id):
        assert Call.objects.get().caller_number == CALLER
