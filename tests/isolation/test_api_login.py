"""replytics_api has the rights that the endpoints need, column by column, and no others."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections, transaction

from api.permissions import KeyScope
from local.embedded import Cluster
from tenancy import tenant
from tenants.models import (
    BusinessHours,
    BusinessHoursInterval,
    ConversationRule,
    SpecialDay,
    TransferPlace,
)
from tests.api_client import Api, make_key
from tests.factories import make_call, make_line
from tests.replytics.test_api_endpoints import (
    COUNTS,
    HOURS,
    INTERVAL,
    PLACE,
    RULE,
    SPECIAL,
)

LOGIN = "replytics_api"
# Every right on a table of ours, or on a column of it, that the login has.
RIGHTS = """
SELECT relname, privilege_type, '' FROM pg_class, aclexplode(relacl) AS acl
WHERE relnamespace = 'public'::regnamespace AND grantee = %(login)s::regrole
    AND relkind IN ('r', 'p', 'v') AND NOT relispartition AND relname <> 'django_migrations'
UNION ALL
SELECT relname, privilege_type, attname
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl) AS acl
WHERE relnamespace = 'public'::regnamespace AND grantee = %(login)s::regrole
ORDER BY 1, 2, 3
"""
# A recording that came before its call: making the call gives it what this says.
WAITING = """
INSERT INTO call_events (call_sid, kind, payload, parsed, outcome)
VALUES ('CAwaited', 'recording', '{}', %(parsed)s, 'waiting')
"""
# Beside the requests of COUNTS: each field that may be written, and each way to a table.
REQUESTS: list[tuple[str, str, Any]] = [
    ("PATCH", "/phone-number/", {"business_name": "A", "display_name": "B", "timezone": "UTC"}),
    (
        "PATCH",
        "/voice-settings/",
        {
            "voice_model": "wave",
            "voice_name": "Nova",
            "speech_speed": 1.5,
            "language": "de",
            "greeting_message": "Hallo",
        },
    ),
    (
        "PUT",
        "/conversation-rules/{conversation-rules}/",
        RULE | {"conditions": {}, "priority": 7, "is_active": False},
    ),
    (
        "PUT",
        "/business-hours/{business-hours}/",
        HOURS | {"day_of_week": 6, "timezone": "Europe/Berlin", "is_closed": True},
    ),
    (
        "PUT",
        "/business-hours-intervals/{business-hours-intervals}/",
        INTERVAL | {"day_of_week": 6},
    ),
    ("PUT", "/business-hours/", {"days": [], "intervals": [INTERVAL]}),
    (
        "PUT",
        "/special-days/{special-days}/",
        SPECIAL | {"date": "2026-12-30", "label": "Eve", "is_closed": True},
    ),
    (
        "POST",
        "/conversation-rules/",
        {"rule_type": "transfer", "actions": {"transfer_to": "front desk"}},
    ),
    ("PATCH", "/transfer-places/{transfer-places}/", {"number": "+14155550124"}),
    ("GET", "/calls/?archived=include&total=exact", None),
    ("GET", "/calls/?tags=vip&status=completed", None),
    ("GET", "/calls/?q=bread", None),
    ("PUT", "/calls/by-sid/CAwaited/", {"ai_summary": "Bread", "tags": ["new"]}),
]


@pytest.fixture
def ids(committed: None) -> dict[str, str]:
    line = make_line(id="pn_bakery", number="+14155550101", business_name="Bakery")
    with tenant(line.pk):
        rule = ConversationRule.objects.create(phone=line, **RULE)
        for day in range(6):
            hours = BusinessHours.objects.create(phone=line, **HOURS | {"day_of_week": day})
        further = BusinessHoursInterval.objects.create(phone=line, **INTERVAL)
        special = SpecialDay.objects.create(phone=line, date=SPECIAL["date"])
        place = TransferPlace.objects.create(phone=line, **PLACE)
    call = make_call(line, call_sid="CA1", metadata={"tags": ["vip"]})
    with connections["owner"].cursor() as cursor:
        parsed = {"recording_url": "https://api.twilio.com/Recordings/RE" + "a" * 32}
        cursor.execute(WAITING, {"parsed": json.dumps(parsed)})
    return {
        "conversation-rules": str(rule.pk),
        "business-hours": str(hours.pk),
        "business-hours-intervals": str(further.pk),
        "special-days": str(special.pk),
        "transfer-places": str(place.pk),
        "calls": str(call.pk),
        "all rules": str(rule.pk),
        "key": make_key(line, *KeyScope.values),
    }


@pytest.fixture
def as_api_login(ids: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Requests reach the database as those of the API's service do."""
    if "TEST_CLUSTER" not in os.environ:
        pytest.skip("the password of replytics_api is known of the tests' own server alone")
    url = urlsplit(Cluster(Path(os.environ["TEST_CLUSTER"])).url(LOGIN) or "")
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "USER", LOGIN)
        patch.setitem(connection.settings_dict, "PASSWORD", url.password)
        yield
        connection.close()


def statuses(ids: dict[str, str], *, first: str = "") -> Iterator[tuple[str, int]]:
    """The answer to each endpoint, in a transaction that is rolled back.

    Those below the collection `first` come first.
    """
    api = Api(f"Api-Key {ids['key']}")
    requests = [*REQUESTS]
    for (route, method), (body, _) in COUNTS.items():
        path = route.replace("<uuid:pk>", f"{{{route.partition('/')[0]}}}")
        path = path.replace("<uuid:call_id>", "{calls}").replace("<str:call_sid>", "CA1")
        requests.append((method, f"/{path}", body(ids) if callable(body) else body))
    requests.sort(key=lambda request: not request[1].startswith(f"/{first}/"))
    for method, path, body in requests:
        with transaction.atomic():
            headers = {"Idempotency-Key": "repeated"} if method in ("POST", "PUT") else {}
            for _ in range(2 if method == "POST" else 1):
                answer = api.request(method, path.format_map(ids), body, headers=headers)
            transaction.set_rollback(True)
        yield f"{method} {path} {body or ''}", answer.status_code


def test_every_endpoint_works_with_the_rights_of_its_login(
    ids: dict[str, str], as_api_login: None
) -> None:
    assert {name: code for name, code in statuses(ids) if code >= 400} == {}


@pytest.mark.soak
def test_each_right_of_the_login_is_needed_by_an_endpoint(
    ids: dict[str, str], as_api_login: None, settings: Any
) -> None:
    """Without any one of them some endpoint fails."""
    settings.API_REQUESTS_PER_KEY = settings.API_REQUESTS_PER_LINE = 1_000_000
    unneeded = []
    with connections["owner"].cursor() as owner:
        owner.execute(RIGHTS, {"login": LOGIN})
        rights = owner.fetchall()
        assert len(rights) > 30
        for table, privilege, column in rights:
            right = f"{privilege} ({column})" if column else privilege
            owner.execute(f"REVOKE {right} ON {table} FROM {LOGIN}")
            try:
                likely = table.replace("_", "-")
                if all(code < 500 for _, code in statuses(ids, first=likely)):
                    unneeded.append(f"{right} ON {table}")
            finally:
                owner.execute(f"GRANT {right} ON {table} TO {LOGIN}")
    assert "\n".join(unneeded) == ""
