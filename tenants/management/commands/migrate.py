"""Django's migrate, as the login that owns the tables."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def get_check_kwargs(self, options: Any) -> Any:
        # The catalog checks judge the serving login, and it is migrate that cures what they find.
        return {**super().get_check_kwargs(options), "databases": []}
