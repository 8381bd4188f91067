"""Commands and addresses that the proof knows; a new one joins its table with a test."""

import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command, get_commands
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from local.embedded import ROOT
from tenancy import active_scope
from tests.isolation.conftest import Lines

# How each command of ours is called with nothing to do, and where its scope comes from.
COMMANDS: dict[str, tuple[str, ...]] = {
    "create_roles": ("--sql",),  # prints a script
    "migrate": ("--check",),  # as the owner
    "plan_migrations": (),  # likewise
    "lint_migrations": (),  # reads migrations, no table
    "dbshell": ("--", "-c", "SELECT 1"),  # a session of the operator's own
    # All lines, with a reason.
    "archive_calls": ("--dry-run",),
    "restore_calls": ("--call-sid", "none", "--dry-run"),
    "drop_archive": ("--older-than", "90 years", "--directory", tempfile.gettempdir()),
    "load_archive": ("none",),
    "import_calls": ("none",),
    "seed_demo": (),  # refuses: there are lines
    "create_api_key": ("+14155550101", "--name", "test", "--scope", "read"),
    "rotate_telephony_keys": (),
    "end_stuck_calls": (),
    "prune_events": (),
    "replay_events": (),
    "reconcile_calls": ("none",),
    "roll_up_calls": (),
    "refresh_summary": (),
    "verify_stats": (),
    "learn_usual_calls": (),
    "check_lines": (),
    "database_report": (),
    "permission_table": (),
    "record_backup": ("--label", "test"),
}

# Where the scope of each address outside the admin comes from.
NO_SCOPE = {"", "health/live", "health/ready", "metrics"}
NO_SCOPE |= {"api/schema/", "api/docs/", "api/redoc/"}  # the same for everybody
STATIC = {"favicon.ico"}
STAFF = {"admin/line/", "admin/desk/live/", "admin/desk/views/", "admin/desk/review/"}
# Of the whole server: refused inside of a line.
STAFF |= {
    "admin/database/",
    "admin/database/alerts/",
    "admin/database/alerts/<int:pk>/",
    "admin/database/statements/",
    "admin/database/statements/<int:pk>/",
    "admin/database/sessions/",
    "admin/database/sessions/end/",
}
# The line comes from the credentials; tests/calls/intake, tests/calls/api and test_api_matrix.py
# hold them to it.
CREDENTIALS = {
    "webhooks/twilio/voice/",
    "webhooks/twilio/recording/",
    "api/v1/phone-number/",
    "api/v1/voice-settings/",
    "api/v1/conversation-rules/",
    "api/v1/conversation-rules/backtest/",
    "api/v1/conversation-rules/order/",
    "api/v1/conversation-rules/schemas/",
    "api/v1/conversation-rules/<uuid:pk>/",
    "api/v1/transfer-places/",
    "api/v1/transfer-places/<uuid:pk>/",
    "api/v1/business-hours/",
    "api/v1/business-hours/backtest/",
    "api/v1/business-hours/calendar/",
    "api/v1/business-hours/<uuid:pk>/",
    "api/v1/business-hours-intervals/",
    "api/v1/business-hours-intervals/<uuid:pk>/",
    "api/v1/special-days/",
    "api/v1/special-days/holidays/",
    "api/v1/special-days/<uuid:pk>/",
    "api/v1/calls/",
    "api/v1/calls/<uuid:call_id>/",
    "api/v1/calls/<uuid:call_id>/metadata/",
    "api/v1/calls/by-sid/<str:call_sid>/",
    "api/v1/calls/<uuid:call_id>/decisions/",
    "api/v1/decide/",
    "api/v1/stats/daily/",
    "api/v1/stats/hourly/",
    "api/v1/stats/outcomes/",
    "api/v1/stats/summary/",
}


def our_commands() -> set[str]:
    ours = {config.name for config in apps.get_app_configs() if Path(config.path).parent == ROOT}
    return {name for name, app in get_commands().items() if app in ours}


def test_completeness_of_commands() -> None:
    assert our_commands() == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_leave_no_scope(lines: Lines, command: str) -> None:
    with suppress(CommandError):  # a refusal must not leave one either
        call_command(command, *COMMANDS[command], verbosity=0, stdout=StringIO())
    assert active_scope() is None


def addresses(patterns: Any, prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver) and pattern.namespace != "admin":
            yield from addresses(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


def test_completeness_of_addresses() -> None:
    assert set(addresses(get_resolver().url_patterns)) == NO_SCOPE | STATIC | STAFF | CREDENTIALS


@pytest.mark.parametrize("address", sorted(NO_SCOPE))
def test_addresses_without_scope_show_no_line(lines: Lines, address: str) -> None:
    page = Client().get(f"/{address}", follow=True).content.decode()
    for line in (lines.line, lines.other):
        assert line.pk not in page
        assert line.business_name not in page


@pytest.mark.parametrize("address", sorted(STAFF))
def test_addresses_of_staff_send_others_to_the_login(lines: Lines, address: str) -> None:
    response: Any = Client().get(f"/{address}")
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")


@pytest.mark.parametrize("address", sorted(CREDENTIALS))
def test_addresses_without_credentials_do_nothing(lines: Lines, address: str) -> None:
    address = address.replace("<str:call_sid>", "CA1")
    address = re.sub("<uuid:.*?>", str(uuid.uuid4()), address)
    for method in (Client().get, Client().post, Client().put):
        response: Any = method(f"/{address}")
        assert response.status_code in {401, 403, 405}
