"""The admin of calls."""

from calls.archival import admin as archival_admin  # noqa: F401 - the archiver's ledger
from calls.intake import admin as intake_admin  # noqa: F401 - the inbox
