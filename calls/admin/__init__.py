"""The admin of calls and of what belongs to them."""

from calls.admin.calls import calls as calls
