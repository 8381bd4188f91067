"""The admin of calls and of what belongs to them."""

from calls.admin import calls as calls
from calls.archival import admin as archival
from calls.holds import admin as holds
from calls.intake import admin as intake
from calls.reviews import admin as reviews

__all__ = ["archival", "calls", "holds", "intake", "reviews"]
