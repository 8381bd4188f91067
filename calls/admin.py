"""Admin of calls."""

from calls.intake import admin as intake_admin  # noqa: F401
