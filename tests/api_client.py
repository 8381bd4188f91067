"""How a program uses the API: a client with a key of a line."""

import time
from typing import Any

from django.test import Client

from tenancy import all_tenants
from tenants.credentials import create_api_key
from tenants.models import PhoneNumber

API = "/api/v1"


def make_key(line: PhoneNumber, *scopes: str, **options: Any) -> str:
    """The text of a new API key; it reads and writes unless scopes say otherwise."""
    with all_tenants("test"):
        _, text = create_api_key(
            phone_id=line.id, name="test", scopes=list(scopes) or ["read", "write"], **options
        )
    return text


def wait_for_a_young_minute() -> None:
    """Return when no other minute, in which requests are counted anew, begins for five seconds."""
    left = 60 - (time.time() + 0.5) % 60
    if left < 5:
        time.sleep(left + 0.1)


class Api:
    """Requests of one credential, below /api/v1/; bodies are JSON unless they are text."""

    def __init__(self, authorization: str, **headers: str) -> None:
        self.client = Client(
            raise_request_exception=False, headers={"Authorization": authorization, **headers}
        )

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        if body is None:
            return getattr(self.client, method.lower())(f"{API}{path}", **options)
        options.setdefault("content_type", "application/json")
        return getattr(self.client, method.lower())(f"{API}{path}", body, **options)

    def get(self, path: str, query: Any = None, **options: Any) -> Any:
        return self.client.get(f"{API}{path}", query, **options)

    def post(self, path: str, body: Any, **options: Any) -> Any:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Any:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Any:
        return self.request("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.request("DELETE", path, **options)


def api_of(line: PhoneNumber, *scopes: str) -> Api:
    return Api(f"Api-Key {make_key(line, *scopes)}")
