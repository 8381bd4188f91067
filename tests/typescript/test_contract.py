"""Database, models, serializers, OpenAPI and TypeScript say the same, and are up to date."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.db import connection

from calls.api.serializers import CallSerializer, WholeCallSerializer
from calls.models import Call, CallStatus
from tenants.api.serializers import ConversationRuleSerializer
from tenants.memberships import MembershipRole
from tenants.models import RuleType
from tenants.rules import TYPES

FOLDER = Path(__file__).resolve().parents[2] / "typescript"
PROGRAMS = FOLDER / "node_modules" / ".bin"
NODE = shutil.which("node")
CHECK = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s"


def openapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / "openapi.yaml").read_text())
    return document


def database_values(constraint: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(CHECK, [constraint])
        [definition] = cursor.fetchone()
    return set(re.findall(r"'([a-z]+)'::text", definition))


def typescript_values(name: str) -> set[str]:
    [union] = re.findall(rf"^ +{name}: ((?:\"[a-z]+\"(?: \| )?)+);", source(), re.MULTILINE)
    return set(re.findall(r'"([a-z]+)"', union))


def source() -> str:
    return (FOLDER / "src" / "api.ts").read_text()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "constraint", "choices", "field"),
    [
        ("CallStatus", "calls_status_check", CallStatus, CallSerializer().fields["status"]),
        (
            "RuleType",
            "conversation_rules_rule_type_check",
            RuleType,
            ConversationRuleSerializer().fields["rule_type"],
        ),
    ],
)
def test_every_place_has_the_same_values(
    name: str, constraint: str, choices: Any, field: Any
) -> None:
    expected = set(choices.values)
    assert database_values(constraint) == expected
    assert set(field.choices) == expected
    assert set(openapi()["components"]["schemas"][name]["enum"]) == expected
    assert typescript_values(name) == expected


@pytest.mark.django_db
def test_roles_and_rule_files_have_their_values() -> None:
    assert database_values("memberships_role_check") == set(MembershipRole.values)
    assert set(TYPES) == set(RuleType.values)


def test_a_call_has_the_same_fields_everywhere() -> None:
    shape = openapi()["components"]["schemas"]["WholeCall"]
    assert list(shape["properties"]) == list(WholeCallSerializer().fields)
    assert shape["required"] == sorted(shape["properties"], key=shape["required"].index)
    columns = {field.name for field in Call._meta.get_fields()} | {"phone_id"}
    for name, property_ in shape["properties"].items():
        if name in columns:
            column = Call._meta.get_field(name)
            # The column has a default where no AI spoke, which the API does not show.
            may_be_null = column.null or name == "ai_confidence"
            assert ("null" in str(property_.get("type"))) == may_be_null, name


def test_the_openapi_document_is_fresh(tmp_path: Path) -> None:
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(fresh), validate=True, fail_on_warn=True)
    assert fresh.read_text() == (FOLDER / "openapi.yaml").read_text(), "run make types"


@pytest.mark.skipif(NODE is None or not PROGRAMS.is_dir(), reason="needs npm ci in typescript/")
def test_the_types_are_fresh_and_compile(tmp_path: Path) -> None:
    fresh = tmp_path / "api.ts"
    generate = [str(PROGRAMS / "openapi-typescript"), "openapi.yaml", "--enum-values"]
    subprocess.run(
        [*generate, "--output", str(fresh)], cwd=FOLDER, check=True, capture_output=True
    )
    assert fresh.read_text() == source(), "run make types"
    compiled = subprocess.run([str(PROGRAMS / "tsc"), "--noEmit"], cwd=FOLDER, capture_output=True)
    assert compiled.returncode == 0, compiled.stdout.decode()
