"""Tokens of the login service (Supabase): signature, issuer, audience and expiry.

https://supabase.com/docs/guides/auth/jwts: HS256 under the project's secret, or an asymmetric key
that the project publishes as JWKS. Which algorithms count follows from what is configured, never
from the token alone.
"""

from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from rest_framework.exceptions import AuthenticationFailed

LEEWAY = 10  # seconds that clocks may differ
KEYS_MAX_AGE = 300  # seconds
ASYMMETRIC = ["ES256", "RS256", "EdDSA"]
REQUIRED = ["exp", "iss", "aud", "sub"]


class BadToken(AuthenticationFailed):
    default_detail = "The token is invalid or has expired."


@lru_cache(maxsize=4)
def _published_keys(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, lifespan=KEYS_MAX_AGE, timeout=3)


def subject_of(token: str) -> tuple[str, str | None]:
    """The user that a token names, and the line that it claims. Raises BadToken."""
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
    except (jwt.PyJWTError, ValueError):
        raise BadToken from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or "\0" in subject:
        raise BadToken
    return subject, _claimed_line(claims)


def _key_for(token: str) -> tuple[Any, list[str]]:
    algorithm = jwt.get_unverified_header(token).get("alg")
    if not settings.SUPABASE_JWT_ISSUER:
        raise BadToken
    if algorithm == "HS256" and settings.SUPABASE_JWT_SECRET:
        return settings.SUPABASE_JWT_SECRET, ["HS256"]
    if algorithm in ASYMMETRIC and settings.SUPABASE_JWKS_URL:
        keys = _published_keys(settings.SUPABASE_JWKS_URL)
        return keys.get_signing_key_from_jwt(token).key, ASYMMETRIC
    raise BadToken


def _claimed_line(claims: dict[str, Any]) -> str | None:
    """app_metadata.phone_id or phone_id; user_metadata is the user's own to write."""
    metadata = claims.get("app_metadata")
    inner = metadata.get("phone_id") if isinstance(metadata, dict) else None
    claimed = inner or claims.get("phone_id")
    return claimed if isinstance(claimed, str) and "\0" not in claimed else None
