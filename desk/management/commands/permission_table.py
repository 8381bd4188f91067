"""Prints or writes docs/permissions.md."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from desk.roles import table
from tenancy import all_tenants

PAGE = Path(settings.BASE_DIR) / "docs" / "permissions.md"
HEAD = """\
# Who may do what

`manage.py permission_table --write` writes this page from the roles in `desk/roles.py` and the
pages of the admin. A test keeps it current.

Each role is a group; put every member of staff into one. `migrate` creates the groups and resets
their permissions, so give a permission beyond a role to the person, not to the group.

"""


def page() -> str:
    """The whole of docs/permissions.md."""
    with all_tenants("table of permissions"):
        return HEAD + table()


class Command(BaseCommand):
    help = "Prints the permissions of each role in the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write it to docs/permissions.md")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        if write:
            PAGE.write_text(page())
        else:
            self.stdout.write(page(), ending="")
