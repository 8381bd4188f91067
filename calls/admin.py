"""The admin of calls."""

from calls.archival import admin as admin  # the archiver's ledger
