"""What PostgreSQL's text and jsonb can hold."""

from typing import Any


def plain(text: str) -> str:
    """Without the characters that PostgreSQL's text cannot hold."""
    return text.replace("\x00", " ").encode(errors="replace").decode()


def is_storable(value: Any) -> bool:
    """Whether each text in a JSON value can be stored: no NUL, no half of a surrogate pair."""
    if isinstance(value, str):
        return "\x00" not in value and (value.isascii() or _is_utf8(value))
    if isinstance(value, dict):
        return all(is_storable(part) for item in value.items() for part in item)
    if isinstance(value, list | tuple):
        return all(is_storable(part) for part in value)
    return True


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
