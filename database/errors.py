"""What it looks like when the database cannot be had just now."""

from django.db import InterfaceError, InternalError, OperationalError

# Connecting failed, a lock or a statement took too long, the server stops or is a replica.
UNAVAILABLE_ERRORS = (OperationalError, InterfaceError, InternalError)
RETRY_AFTER = 5  # seconds, for the header of a 503
