"""Files of calls for the import tests, and a way to run the command on them."""

import csv
import io
import itertools
import json
from pathlib import Path
from typing import Any

from django.core.management import call_command

from calls.models import Call, CallMetadata
from tenancy import all_tenants

BAKERY = "+14155550101"  # the fixture `line`
GARAGE = "+14155550202"  # the fixture `other_line`

_count = itertools.count(1)


def new_sid() -> str:
    return f"CA{next(_count):032x}"


def twilio_call(**overrides: Any) -> dict[str, Any]:
    """A completed call of 15 seconds to the bakery, as Twilio's Call resource."""
    call = {
        "sid": new_sid(),
        "account_sid": "AC00000000000000000000000000000000",
        "from": "+14155559999",
        "to": BAKERY,
        "status": "completed",
        "start_time": "Tue, 03 Mar 2026 20:36:29 +0000",
        "end_time": "Tue, 03 Mar 2026 20:36:44 +0000",
        "date_created": "Tue, 03 Mar 2026 20:36:28 +0000",
        "duration": "15",
        "direction": "inbound",
        "subresource_uris": {"recordings": "/Recordings.json"},
    }
    return call | overrides


def own_call(**overrides: Any) -> dict[str, Any]:
    """A completed call of 15 seconds to the bakery, in our own columns."""
    call = {
        "number": BAKERY,
        "caller_number": "+14155559999",
        "call_sid": new_sid(),
        "status": "completed",
        "duration": 15,
        "created_at": "2026-03-03T20:36:29Z",
    }
    return call | overrides


def console_row(**overrides: str) -> dict[str, str]:
    """The same call as a row of the console's export."""
    row = {
        "Call Sid": new_sid(),
        "Start Time": "20:36:29 UTC 2026-03-03",
        "From": "+14155559999",
        "To": BAKERY,
        "Direction": "Incoming",
        "Status": "Completed",
        "Duration": "15",
        "Type": "Phone",
        "Parent Call Sid": "null",
    }
    return row | overrides


def page(*calls: dict[str, Any]) -> str:
    return json.dumps({"page": 0, "calls": calls, "next_page_uri": None})


def lines(*calls: Any) -> str:
    return "".join(json.dumps(call) + "\n" for call in calls)


def console_csv(*rows: dict[str, str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def import_text(directory: Path, content: str | bytes, *options: str) -> str:
    """Import a file of this content; returns what the command printed."""
    path = directory / "calls.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_file(path, *options)


def import_file(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("import_calls", str(path), *options, stdout=out)
    return out.getvalue()


def rejected(directory: Path) -> list[dict[str, str]]:
    """The rows of the rejects file of import_text; none when there is no such file."""
    path = directory / "calls.txt.rejects.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def the_call(call_sid: str) -> Call:
    with all_tenants("test"):
        call: Call = Call.objects.get(call_sid=call_sid)
    return call


def the_metadata(call_sid: str) -> CallMetadata | None:
    with all_tenants("test"):
        found: CallMetadata | None = CallMetadata.objects.filter(call__call_sid=call_sid).first()
    return found


def everything() -> list[tuple[Any, ...]]:
    """Every column of every call and its metadata, to compare before and after."""
    with all_tenants("test"):
        calls = Call.objects.order_by("call_sid").values_list()
        metadata = CallMetadata.objects.order_by("call_id").values_list()
        return [*calls, *metadata]
