"""The argument --phone-id of management commands."""

from zoneinfo import ZoneInfo

from django.core.management.base import CommandError

from database.storable import is_storable
from tenants.models import PhoneNumber


def existing_line(phone_id: str | None) -> str | None:
    """The line's id, or None for all lines. Raises CommandError for one that does not exist."""
    if phone_id is None:
        return None
    if not is_storable(phone_id):
        raise CommandError("--phone-id has bytes that are not UTF-8; write it in UTF-8.")
    if not PhoneNumber.objects.filter(pk=phone_id).exists():
        raise CommandError(f'Line "{phone_id}" not found.')
    return phone_id


def clock_of(phone_id: str | None) -> ZoneInfo:
    """The time zone of an existing line, in which its days are; UTC for all lines."""
    if phone_id is None:
        return ZoneInfo("UTC")
    return ZoneInfo(PhoneNumber.objects.values_list("timezone", flat=True).get(pk=phone_id))
