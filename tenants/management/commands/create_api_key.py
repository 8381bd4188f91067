"""Create an API key for a program of a line."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from api.permissions import KeyScope
from console.arguments import not_empty, storable, whole_number
from tenancy import all_tenants
from tenants.credentials import create_api_key
from tenants.models import PhoneNumber


class Command(BaseCommand):
    help = (
        "Creates an API key for one line and prints it once; only its hash is stored. Programs"
        " send it as 'Authorization: Api-Key <key>'."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "line", type=storable, help="the line's id, or its number such as +14155550123"
        )
        parser.add_argument(
            "--name", type=not_empty, required=True, help="the program that uses the key"
        )
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=KeyScope.values,
            help="what the key allows; may be repeated",
        )
        parser.add_argument(
            "--days", type=whole_number(1, 3650), help="days until it expires (default: never)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        expires_at = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        column = "number" if options["line"].startswith("+") else "id"
        with all_tenants("create_api_key"):
            line = PhoneNumber.objects.filter(**{column: options["line"]}).first()
            if line is None:
                raise CommandError(f'Line not found: {column} "{options["line"]}".')
            try:
                made, key = create_api_key(
                    phone_id=line.id,
                    name=options["name"],
                    scopes=sorted(set(options["scope"])),
                    expires_at=expires_at,
                )
            except ValidationError as error:
                fields = error.message_dict.items()
                raise CommandError(
                    "; ".join(f"{name}: {' '.join(found)}" for name, found in fields)
                ) from None
        self.stderr.write(f"Key {made.prefix} of {line}; it will not be shown again:")
        self.stdout.write(key)
