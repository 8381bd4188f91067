"""The client of a request: its line and its scopes."""

from dataclasses import dataclass
from typing import ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from api.rate_limit import Budget


@dataclass(frozen=True)
class ApiClient:
    """request.user and request.auth of every endpoint that works for a line."""

    phone_id: str
    name: str
    scopes: frozenset[str]
    budget: Budget
    is_authenticated: bool = True


class HeaderAuthentication(BaseAuthentication):
    """Authorization: <keyword> <credentials>. A subclass knows whose credentials they are."""

    keyword: ClassVar[str]

    def find_client(self, credentials: str, *, wanted: str | None) -> ApiClient:
        """The client in the wanted line, if one is named. Raises AuthenticationFailed, NoSuchLine.

        Each call counts as a request of the client and of its line.
        """
        raise NotImplementedError

    def authenticate(self, request: Request) -> tuple[ApiClient, ApiClient] | None:
        scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != self.keyword.lower():
            return None
        client = self.find_client(credentials.strip(), wanted=request.META.get("HTTP_X_PHONE_ID"))
        return client, client

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class NoSuchLine(NotFound):
    """These credentials have no such line, whether or not it exists."""

    default_detail = "Line not found."
