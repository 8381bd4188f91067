"""Arguments that the archiver's commands share."""

from argparse import ArgumentTypeError

from django.core.management.base import CommandError

from tenants.models import PhoneNumber


def positive(text: str) -> int:
    """argparse type: a whole number above 0."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        raise ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def existing_line(phone_id: str | None) -> str | None:
    """The line's id, or None for all lines. Raises CommandError for one that does not exist."""
    if phone_id is not None and not PhoneNumber.objects.filter(pk=phone_id).exists():
        raise CommandError(f'There is no line "{phone_id}".')
    return phone_id
