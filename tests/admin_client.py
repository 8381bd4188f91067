"""What the tests of the admin ask of its pages."""

from typing import Any

from django.test import Client

from tenants.line_middleware import PICKED_LINE
from tenants.models import PhoneNumber


def listed(client: Client, url: str, query: dict[str, str] | None = None) -> Any:
    """The change list that the page of this address shows."""
    response: Any = client.get(url, query)
    assert response.status_code == 200
    return response.context_data["cl"]


def form_errors(response: Any) -> str:
    """The errors of the form that was sent back instead of saved."""
    assert response.status_code == 200, "the form was saved"
    return str(response.context_data["errors"])


def pick(client: Client, line: PhoneNumber) -> None:
    """Confine the admin of this browser to one line."""
    session = client.session
    session[PICKED_LINE] = line.pk
    session.save()
