"""Parses the query string of the list of calls."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from django.core import signing
from django.http import QueryDict
from rest_framework.serializers import ListField

from api.errors import Invalid
from api.parsing import NOT_TEXT
from calls.api.page import ListQuery
from calls.api.serializers import FIELDS, MAX_PAGE_SIZE, CallQuery

DEFAULT_PAGE = 20
SEARCHES = {"tags": "all_tags", "tags_any": "any_tags", "q": "words"}
AS_THEY_ARE = {"metadata", "custom_fields"}
signer = signing.Signer(salt="calls.api.cursor")


@dataclass(frozen=True)
class ParsedRequest:
    """The list, the values of its statement, and what a cursor of it is bound to."""

    query: ListQuery
    values: Mapping[str, Any]
    total: str | None
    digest: str

    @property
    def query_after_cursor(self) -> ListQuery:
        return replace(self.query, after_cursor=True)


def read_query(query: QueryDict) -> tuple[ParsedRequest, int, str | None]:
    """The list, the limit and the cursor. Raises Invalid."""
    named = dict(query.lists())
    limit = _limit(named.pop("limit", [str(DEFAULT_PAGE)]))
    cursor = named.pop("cursor", None)
    if cursor is not None and len(cursor) != 1:
        raise _wrong("cursor", "Give this parameter only once.")
    parsed = _parsed(tuple(sorted((name, tuple(values)) for name, values in named.items())))
    return parsed, limit, cursor[0] if cursor else None


def write_cursor(parsed: ParsedRequest, line: str | None, last: tuple[str, str]) -> str:
    return signer.sign_object([parsed.digest, line, *last])


def read_cursor(parsed: ParsedRequest, line: str | None, cursor: str) -> dict[str, str]:
    """The position where the previous page ended. Raises Invalid for a cursor of another list."""
    try:
        digest, of_line, at, after_id = signer.unsign_object(cursor)
    except (signing.BadSignature, ValueError):
        raise _wrong("cursor", "Invalid cursor: send `next` unchanged.") from None
    if (digest, of_line) != (parsed.digest, line):
        raise _wrong("cursor", "This cursor belongs to other filters. Start without a cursor.")
    return {"at": at, "after_id": after_id}


def _wrong(name: str, detail: str) -> Invalid:
    return Invalid([{"parameter": name, "detail": detail}])


def _limit(values: list[str]) -> int:
    [text, *more] = values
    if more or not text.isascii() or not text.isdigit() or len(text) > 3:
        raise _wrong("limit", f"Expected a whole number from 1 to {MAX_PAGE_SIZE}.")
    if not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise _wrong("limit", f"Expected a whole number from 1 to {MAX_PAGE_SIZE}.")
    return int(text)


@lru_cache(maxsize=2000)  # dashboards repeat the same requests
def _parsed(named: tuple[tuple[str, tuple[str, ...]], ...]) -> ParsedRequest:
    given = _validated(dict(named))
    filters: dict[str, Any] = {}
    searches: dict[str, Any] = {}
    options = {
        name: given.pop(name, None) for name in ("archived", "order", "fields", "total", "outcome")
    }
    for name, value in given.items():
        if name == "status":
            statuses = sorted(set(value))
            filters |= {"status": value[0]} if len(statuses) == 1 else {"statuses": statuses}
        elif name == "has_recording":
            filters["with_recording" if value else "without_recording"] = True
        elif type(value) is date:
            filters[f"{name}_day"] = value
        elif name in SEARCHES or name in AS_THEY_ARE:
            searches[SEARCHES.get(name, name)] = value
        else:
            filters[name] = value
    query = ListQuery(
        filters=tuple(sorted(filters)),
        searches=tuple(sorted(searches)),
        outcomes=tuple(sorted(set(options["outcome"] or ()))),
        archived=options["archived"],
        order=options["order"],
        fields=tuple(options["fields"] or FIELDS),
    )
    bound = repr((sorted(filters.items()), sorted(searches.items()), query))
    digest = hashlib.sha256(bound.encode()).hexdigest()[:16]
    return ParsedRequest(query, filters | searches, options["total"], digest)


def _validated(named: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    serializer: Any = CallQuery()
    known = serializer.fields
    errors = [
        {"parameter": ascii(name)[1:-1][:100], "detail": "Unknown parameter."}
        for name in named
        if name not in known
    ]
    plain: dict[str, Any] = {}
    for name, values in named.items():
        if any(NOT_TEXT.search(value) for value in values):
            errors.append(
                {"parameter": name, "detail": "Text must not contain control characters."}
            )
        elif name in known and isinstance(known[name], ListField):
            plain[name] = list(values)
        elif len(values) > 1:
            errors.append({"parameter": name, "detail": "Give this parameter only once."})
        else:
            plain[name] = values[0]
    if errors:
        raise Invalid(errors)
    query = CallQuery(data=plain)
    if not query.is_valid():
        raise Invalid(
            [
                {"parameter": name, "detail": _first(detail)}
                for name, detail in query.errors.items()
            ]
        )
    return dict(query.validated_data)


def _first(detail: Any) -> str:
    while isinstance(detail, list | dict):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return str(detail)
