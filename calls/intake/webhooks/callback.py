"""A callback's parameters, and whether the provider signed exactly those.

Twilio signs the URL with its query string and, without any delimiter, the names and values of a
form sorted by name: https://www.twilio.com/docs/usage/security#validating-requests. Two different
forms can therefore have the same signature: see moved_parameters.py. Nothing of the query string
is used.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlparse, urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    RequestValidator,
    get_signature_algorithm,
    remove_port,
)

from calls.intake.webhooks.events import USED
from database import exact_json

WRONG_SIGNATURE = "The signature is missing or wrong."
MAX_BODY = 100_000  # bytes; a callback of Twilio has about two thousand, more with its AddOns
MAX_PARAMETERS = 1_000
BODY_HASH = re.compile(r"(?:^|&)bodySHA256=[0-9a-f]{64}(?:&|$)")
# For digests; and used without a token, so that the response takes as long as with one.
NO_TOKEN = RequestValidator("no token")


class Refused(Exception):
    """The request is not a callback of the provider; nothing of it is stored."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Callback:
    """The parameters of a request and what its signature covers. Raises Refused."""

    def __init__(self, request: HttpRequest) -> None:
        self._query = request.META.get("QUERY_STRING", "")
        self._url = f"{settings.PUBLIC_URL}{request.path}"
        self._signed_url = f"{self._url}?{self._query}" if self._query else self._url
        self._signature = request.headers.get("X-Twilio-Signature", "")
        self._algorithm = get_signature_algorithm(
            request.headers.get("X-Twilio-Webhooks-Signature-Settings", "")
        )
        if not self._signature or not self._signature.isascii():
            raise Refused(403, WRONG_SIGNATURE)
        body = _read_body(request)
        content_type = (request.content_type or "").lower()
        if content_type == "application/json":
            if len(BODY_HASH.findall(self._query)) != 1 or self._query.count("bodySHA256") != 1:
                raise Refused(403, "JSON requires one bodySHA256 in the query string.")
            self.parameters = _read_json(body)
            self._signed: str | MultiValueDict[str, str] = body
        elif content_type == "application/x-www-form-urlencoded":
            if "bodySHA256" in self._query:
                raise Refused(403, "Only JSON has a bodySHA256 in the query string.")
            self._signed = _read_form(body)
            self.parameters = {name: self._signed.getlist(name)[-1] for name in self._signed}
            # The text signed begins with the URL, so the first parameter might be moved there.
            if "AccountSid" in self._query and "AccountSid" not in self.parameters:
                raise Refused(403, "AccountSid belongs in the body, not in the query string.")
        else:
            raise Refused(
                403, "Send a form or JSON: other bodies are not covered by the signature."
            )

    def is_signed(self, tokens: Sequence[str]) -> bool:
        """Whether one of the tokens matches the signature; all of them are tried."""
        return is_valid(self._signed_url, self._signed, self._signature, tokens, self._algorithm)

    def digest(self) -> str:
        """The same for all requests that one signature is right for, whatever their division.

        Of a form the URL, names and values run together; of JSON the URL, which has its hash.
        """
        url = remove_port(urlparse(self._signed_url))
        form = {} if isinstance(self._signed, str) else self._signed
        digest: str = NO_TOKEN.compute_signature(url, form, HMAC_SHA256)
        return digest

    def other_url_signed(self, tokens: Sequence[str], request: HttpRequest) -> str | None:
        """The likely variant of the URL that one of the tokens signed; None when it is none.

        A proxy or a setting changes the scheme, the host, the slash at the end or the query.
        """
        parts = urlsplit(self._url)
        hosts, paths = [parts.netloc], [parts.path, parts.path.rstrip("/")]
        with suppress(DisallowedHost):
            hosts.append(request.get_host())
        # The hash of a JSON body is in the query.
        queries = [self._query] if isinstance(self._signed, str) else [self._query, ""]
        variants = product(("https", "http"), dict.fromkeys(hosts), paths, queries)
        for scheme, host, path, query in variants:
            url: str = urlunsplit((scheme, host, path, query, ""))
            if is_valid(url, self._signed, self._signature, tokens, self._algorithm):
                return url
        return None


def is_valid(
    url: str,
    signed: str | Mapping[str, str],
    signature: str,
    tokens: Sequence[str],
    algorithm: str = HMAC_SHA1,
) -> bool:
    """signed: the parameters of a form, or the text of a JSON body."""
    validators = [RequestValidator(token) for token in tokens] or [NO_TOKEN]
    valid = [v.validate(url, signed, signature, algorithm) for v in validators]
    return any(valid) and bool(tokens)


def _read_body(request: HttpRequest) -> str:
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            raise Refused(413, f"A callback can have at most {MAX_BODY} bytes.")
        return request.body.decode()
    except (ValueError, RequestDataTooBig):
        raise Refused(400, "The body is not UTF-8 text.") from None


def _read_form(body: str) -> MultiValueDict[str, str]:
    try:
        pairs = parse_qsl(
            body, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise Refused(400, "The form is invalid.") from None
    form: MultiValueDict[str, str] = MultiValueDict()
    for name, value in pairs:
        form.appendlist(name, value)
    # It is unknown which value of a parameter is meant; of the others nothing is used.
    if any(len(form.getlist(name)) > 1 for name in USED):
        raise Refused(400, "A parameter appears twice.")
    return form


def _read_json(body: str) -> dict[str, str]:
    try:
        parameters: Any = json.loads(
            body,
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_number,
            parse_int=_number,
        )
    except (ValueError, RecursionError):
        raise Refused(400, "The JSON is invalid.") from None
    if not isinstance(parameters, dict) or len(parameters) > MAX_PARAMETERS:
        raise Refused(400, "The JSON must be an object of parameters.")
    return {
        name: value if isinstance(value, str) else exact_json.dumps(value)
        for name, value in parameters.items()
        if value is not None
    }


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Rejects repeated parameters, since it is unknown which value was meant."""
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise Refused(400, "A parameter appears twice.")
    return parameters


def _number(text: str) -> Decimal | str:
    """With every digit. Text where it has an exponent or a thousand digits."""
    if "e" in text.lower() or len(text) > exact_json.MAX_DIGITS:
        return text
    return exact_json.fraction(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
