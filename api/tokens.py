"""Tokens of the login service (Supabase): signature, issuer, audience and expiry.

https://supabase.com/docs/guides/auth/jwts: HS256 under the project's secret, or an asymmetric key
that the project publishes as JWKS. The algorithm is that of the secret or of the published key; a
token with another one is refused.
"""

from typing import Any

import jwt
from django.conf import settings
from rest_framework.exceptions import AuthenticationFailed

from api.published_keys import ALGORITHMS, published_keys

LEEWAY = 10  # seconds that clocks may differ
REQUIRED = ["exp", "iss", "aud", "sub"]


class BadToken(AuthenticationFailed):
    default_detail = "The token is invalid or has expired."


def subject_of(token: str) -> tuple[str, str | None]:
    """The user that a token names, and the line that it claims.

    Raises BadToken, or LoginServiceUnavailable when its key is not known.
    """
    try:
        key, algorithms = _key_for(token)
        claims = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=settings.SUPABASE_JWT_AUDIENCE,
            issuer=settings.SUPABASE_JWT_ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise BadToken from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or "\0" in subject:
        raise BadToken
    return subject, _claimed_line(claims)


def _key_for(token: str) -> tuple[str | jwt.PyJWK, list[str]]:
    """The key that a token must be signed with, and the algorithm of that key."""
    header = jwt.get_unverified_header(token)
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not settings.SUPABASE_JWT_ISSUER:
        raise BadToken
    if algorithm == "HS256" and settings.SUPABASE_JWT_SECRET:
        return settings.SUPABASE_JWT_SECRET, ["HS256"]
    if algorithm in ALGORITHMS and isinstance(key_id, str) and settings.SUPABASE_JWKS_URL:
        key = published_keys(settings.SUPABASE_JWKS_URL).find(key_id)
        if key is not None and key.algorithm_name == algorithm:
            return key, [key.algorithm_name]
    raise BadToken


def _claimed_line(claims: dict[str, Any]) -> str | None:
    """app_metadata.phone_id or phone_id; user_metadata is the user's own to write."""
    metadata = claims.get("app_metadata")
    inner = metadata.get("phone_id") if isinstance(metadata, dict) else None
    claimed = inner or claims.get("phone_id")
    return claimed if isinstance(claimed, str) and "\0" not in claimed else None
