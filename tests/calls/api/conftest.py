"""A key of each line, and how a program uses it."""

from typing import Any

import pytest
from django.test import Client

from tenancy import all_tenants
from tenants.credentials import create_api_key
from tenants.models import PhoneNumber


def make_key(line: PhoneNumber, *scopes: str, **options: Any) -> str:
    with all_tenants("test"):
        return create_api_key(
            phone_id=line.id, name="pipeline", scopes=list(scopes) or ["ingest"], **options
        )[1]


def put(key: str, sid: str, fields: Any, **headers: str) -> Any:
    """PUT a delivery; fields may be text that is no JSON."""
    return Client().put(
        f"/api/v1/calls/by-sid/{sid}/",
        fields,
        content_type="application/json",
        headers={"Authorization": f"Api-Key {key}", **headers},
    )


@pytest.fixture
def key(line: PhoneNumber) -> str:
    return make_key(line)
