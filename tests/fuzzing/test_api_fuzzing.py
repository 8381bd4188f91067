"""schemathesis over the running server: what the OpenAPI document says is what it answers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tenancy import all_tenants, tenant
from tenants.credentials import ApiKey
from tenants.models import (
    BusinessHours,
    ConversationRule,
    PhoneNumber,
    TransferPlace,
    VoiceSettings,
)
from tests.api_client import make_key
from tests.factories import make_call, make_line
from tests.gunicorn import gunicorn

SECRET = "only-the-garage-knows-of-zanzibar"
SCHEMATHESIS = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
CONFIGURATION = """
continue-on-failure = true
max-failures = 50
# Two threads share one interpreter, and trip over each other in hypothesis's cache of sources.
workers = 1
hooks = "tests.fuzzing.hooks"

[cache]
enabled = false

[auth.wfc]
path = "{identities}"
peers = ["bakery", "garage"]

# Ids of the garage's rows, and of the bakery's own.
[dictionaries.rows]
values = {rows}

[parameters]
"path.id" = {{dictionary = "rows", probability = 0.3}}
"path.call_id" = {{dictionary = "rows", probability = 0.3}}

[checks]
enabled = true

# A precondition is looked at before the body is (RFC 9110, section 13.2.1).
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 422, 429]

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429]

# Rules between several values, which the document has in words.
[[operations]]
include-operation-id = ["calls_list", "stats_daily_retrieve", "stats_hourly_retrieve",
    "conversation_rules_partial_update", "conversation_rules_order_create",
    "business_week_update", "conversation_rules_backtest", "business_hours_backtest",
    "business_hours_intervals_create", "business_hours_intervals_update",
    "business_hours_intervals_partial_update", "business_hours_calendar_retrieve",
    "special_days_holidays_retrieve", "special_days_holidays_create", "stats_outcomes_retrieve"]
checks.positive_data_acceptance.enabled = false

# A rule's boundary values go to POST; the same body thousands of times more finds nothing more.
[[operations]]
include-operation-id = ["conversation_rules_update", "conversation_rules_partial_update",
    "conversation_rules_backtest", "special_days_update", "special_days_partial_update",
    "business_hours_intervals_update", "business_hours_intervals_partial_update"]
phases.coverage.enabled = false

[generation]
max-examples = {examples}
no-shrink = true
database = "none"
"""


@pytest.mark.soak
@pytest.mark.parametrize(
    ("phases", "seed", "examples", "least"),
    [("examples,coverage", 1, 30, 4000), ("fuzzing,stateful", 1, 10, 200)],
)
def test_fuzzing_finds_no_fault(
    committed: None,
    tmp_path: Path,
    phases: str,
    seed: int,
    examples: int,
    least: int,
    record_figures: Callable[[str], None],
) -> None:
    bakery, garage = make_line(id="pn_bakery"), make_line(id="pn_zanzibar")
    rows = [*fill(bakery, "fresh bread"), *(of_garage := fill(garage, SECRET))]
    keys = {
        line.pk: f"Api-Key {make_key(line, 'read', 'write', 'ingest')}"
        for line in (bakery, garage)
    }
    identities = tmp_path / "identities.json"
    identities.write_text(
        json.dumps(
            {
                "auth": [
                    {"name": name, "fixedHeaders": [{"name": "Authorization", "value": key}]}
                    for name, key in zip(("bakery", "garage"), keys.values(), strict=True)
                ]
            }
        )
    )
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(
        CONFIGURATION.format(identities=identities, rows=json.dumps(rows), examples=examples)
    )
    secrets = " ".join([SECRET, garage.pk, garage.number, *of_garage])
    environment = {"FUZZING_BAKERY": keys[bakery.pk], "FUZZING_OF_THE_GARAGE": secrets}
    # nginx answers a request line that is too long; here there is none.
    with gunicorn(
        "--limit-request-line=0",
        API_REQUESTS_PER_KEY="1000000",
        API_REQUESTS_PER_LINE="1000000",
    ) as server:
        run = subprocess.run(
            [*SCHEMATHESIS, f"--config-file={configuration}", "run", f"{server.url}/api/schema/",
             f"--seed={seed}", f"--phases={phases}", "--suppress-health-check=too_slow"],
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )  # fmt: skip
    print(run.stdout)
    assert run.returncode == 0, run.stderr
    [cases] = re.findall(r"(\d+) generated, \d+ passed", run.stdout)
    assert int(cases) >= least
    with tenant(garage.pk):
        # At random the bakery may never read a row that it made before, which its peer then tries.
        assert "coverage" not in phases or ApiKey.objects.get().last_used_at, (
            "the garage never asked for the bakery's rows"
        )
    record_figures(f"schemathesis, {phases}, seed {seed}: {cases} cases, no fault")


def fill(line: PhoneNumber, words: str) -> list[str]:
    """Rows of every kind; returns their ids."""
    with all_tenants("test"):
        PhoneNumber.objects.filter(pk=line.pk).update(display_name=words)
        VoiceSettings.objects.create(phone=line, greeting_message=words)
        rule = ConversationRule.objects.create(
            phone=line, rule_type="greeting", actions={"say": words}
        )
        hours = BusinessHours.objects.create(
            phone=line, day_of_week=3, open_time="09:00", close_time="17:00"
        )
        place = TransferPlace.objects.create(phone=line, name=words, number="+14155550123")
    call = make_call(
        line, transcript=words, metadata={"metadata": {"note": words}, "tags": [words]}
    )
    old = make_call(line, transcript=words, created_at="2024-05-06T12:00:00Z")
    return [str(row.pk) for row in (rule, place, hours, call, old)]
