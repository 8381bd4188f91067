"""Statements with their values removed: these are phone numbers and callers' words."""

import re
from dataclasses import dataclass

# What tenancy.guard puts in front of each statement: the scope, and its context's settings.
SCOPE = re.compile(
    r"\s*SELECT (?:set_config\('role','(?P<role>[^']*)',true\),"
    r"set_config\('app\.phone_id','(?P<line>[^']*)',true\),?)?"
    r"(?:,?set_config\('(?:application_name|lock_timeout|statement_timeout)','[^']*',true\))*;\n"
)
# The server cuts a long statement off, so that a literal or a comment may have no end.
VALUES = re.compile(
    r"""
    [eE]'(?:[^'\\]|\\.|'')*(?:'|\\?$)  # a string with escapes
    |[bBxXnN]?'(?:[^']|'')*(?:'|$)      # any other string
    |[uU]&'(?:[^']|'')*(?:'|$)
    |(?P<keep>"(?:[^"]|"")*(?:"|$)      # an identifier
      |\$[0-9]+                         # a parameter
      |[A-Za-z_\x80-\U0010ffff][\w$]*+) # a word
    |(?P<comment>--[^\n]*|/\*.*?(?:\*/|$))
    |(?P<tag>\$\w*\$).*?(?:(?P=tag)|$)
    |[0-9][0-9a-zA-Z_.]*(?:(?<=[eE])[+-][0-9]+)?
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """A statement as the server showed it, taken apart; `line` is empty for all or none."""

    text: str
    line: str = ""
    is_staff: bool = False


def mask(statement: str) -> Statement:
    """The statement proper, each value and comment of it replaced, and whose scope it ran in."""
    scope = SCOPE.match(statement)
    text = statement[scope.end() :] if scope else statement
    masked = " ".join(VALUES.sub(_without_value, text).split())
    if scope is None:
        return Statement(masked)
    return Statement(masked, scope["line"] or "", scope["role"] == "replytics_staff")


def _without_value(match: re.Match[str]) -> str:
    if match["keep"] is not None:
        return match["keep"]
    return " " if match["comment"] is not None else "?"
