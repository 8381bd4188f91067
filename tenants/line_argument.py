"""The argument --phone-id of management commands."""

from django.core.management.base import CommandError

from tenants.models import PhoneNumber


def existing_line(phone_id: str | None) -> str | None:
    """The line's id, or None for all lines. Raises CommandError for one that does not exist."""
    if phone_id is not None and not PhoneNumber.objects.filter(pk=phone_id).exists():
        raise CommandError(f'Line "{phone_id}" not found.')
    return phone_id
