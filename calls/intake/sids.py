"""The SIDs of calls, accounts and recordings, as callbacks and files have them."""

import re

CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")
# A file's calls may be another provider's.
CALL_SID_OF_FILE = re.compile(r"[!-~]{1,64}")


def one_account(sid: str) -> str:
    """An account SID in the one spelling that telephony_credentials has."""
    return sid[:2] + sid[2:].lower()
