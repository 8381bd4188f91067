"""A body's values have the JSON types that the OpenAPI document names, in every serializer."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import calls.api.urls as calls_urls
import tenants.api.urls as tenants_urls
from api.serializer_fields import StrictSerializer
from local.embedded import ROOT
from tenants.models import PhoneNumber
from tests.api_client import api_of

ROUTES = (calls_urls, tenants_urls)  # which import the serializers
DOCUMENT = yaml.safe_load((ROOT / "typescript" / "openapi.yaml").read_text())
VALUES: list[Any] = ["no", "7", "", 0, 7, 1.5, True, [], [0], [True], {}, {"a": 1}]


def bodies(serializer: type[Any] = StrictSerializer) -> Iterator[tuple[type[Any], str]]:
    """Each serializer of a body with its name in the document."""
    for found in serializer.__subclasses__():
        name = found.__name__.removesuffix("Serializer")
        for component in (f"{name}Request", f"Patched{name}Request"):
            if component in DOCUMENT["components"]["schemas"]:
                yield found, component
        yield from bodies(found)


FIELDS = [
    pytest.param(serializer, component, name, id=f"{component}.{name}")
    for serializer, component in bodies()
    for name in DOCUMENT["components"]["schemas"][component].get("properties", {})
    if name not in ("conditions", "actions")  # judged together, by the type of the rule
]


def test_the_serializers_were_found() -> None:
    assert len(FIELDS) > 30


@pytest.mark.parametrize(("serializer", "component", "name"), FIELDS)
def test_what_the_document_refuses_is_refused(
    serializer: type[Any], component: str, name: str
) -> None:
    reference = {
        "$ref": f"#/components/schemas/{component}/properties/{name}",
        "components": DOCUMENT["components"],
    }
    documented = Draft202012Validator(reference)
    for value in VALUES:
        if not documented.is_valid(value):
            parsed = serializer(data={name: value}, partial=True)
            assert not parsed.is_valid()
            assert name in parsed.errors, value


@pytest.mark.parametrize(
    ("path", "change", "pointer"),
    [
        ("/phone-number/", {"business_name": 0}, "#/business_name"),
        ("/phone-number/", {"timezone": 1}, "#/timezone"),
        ("/voice-settings/", {"speech_speed": "1.5"}, "#/speech_speed"),
        ("/voice-settings/", {"speech_speed": True}, "#/speech_speed"),
        ("/voice-settings/", {"greeting_message": 5}, "#/greeting_message"),
    ],
)
def test_a_value_of_another_type_is_refused(
    line: PhoneNumber, path: str, change: Any, pointer: str
) -> None:
    refused = api_of(line).patch(path, change)
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"is_active": "no"}, "#/is_active"),
        ({"is_active": 0}, "#/is_active"),
        ({"priority": "7"}, "#/priority"),
        ({"priority": True}, "#/priority"),
        ({"priority": 7.5}, "#/priority"),
    ],
)
def test_a_rule_of_other_types_is_refused(line: PhoneNumber, change: Any, pointer: str) -> None:
    rule = {"rule_type": "greeting", "actions": {"say": "Hello."}}
    api = api_of(line)
    refused = api.post("/conversation-rules/", rule | change)
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert api.post("/conversation-rules/", rule | {"priority": 7.0}).json()["priority"] == 7
