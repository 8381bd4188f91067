"""Recordings: which addresses may be shown as links. This server never fetches one.

An address is a secret, since whoever has it can listen, and comes from outside, so it may point
anywhere.
"""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings


def playable_url(url: str | None) -> str | None:
    """The address if it may be a link or a player's source: https, on one of RECORDING_HOSTS."""
    if not url or not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or parts.username is not None or port not in (None, 443):
        return None
    return url if parts.hostname in settings.RECORDING_HOSTS else None


def playable_pattern() -> str:
    """The same as a regular expression of PostgreSQL, for ~* under collation "C"."""
    return _pattern(tuple(settings.RECORDING_HOSTS))


@lru_cache(maxsize=8)
def _pattern(allowed: tuple[str, ...]) -> str:
    # An IPv6 address has brackets in an address, and none as a host.
    hosts = "|".join(re.escape(f"[{host}]" if ":" in host else host) for host in allowed)
    return rf"^https://({hosts})(:(0*443)?)?([/?#][]!-[^-~]*)?$"
