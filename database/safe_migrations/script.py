"""A script cut into its statements."""

import re
from collections.abc import Iterator

# What may hold a semicolon that ends no statement, then the semicolon that does. The body of an
# SQL-standard function (BEGIN ATOMIC … END) is not among them: write it between dollar signs.
TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<quoted>
          (?<![\w$]) [eE]'(?:[^'\\]|''|\\.)*'
        | '(?:[^']|'')*'
        | "(?:[^"]|"")*"
        | (?<![\w$]) (?P<tag>\$(?:[A-Za-z_]\w*)?\$) .*? (?P=tag)
      )
    | (?P<end> ; )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def statements(script: str) -> Iterator[str]:
    """Each statement of a script, without comments and without its semicolon."""
    statement = ""
    for token in TOKEN.finditer(script):
        if token.lastgroup == "comment" or token["comment"]:
            statement += " "
        elif token["end"]:
            if statement.strip():
                yield statement.strip()
            statement = ""
        else:
            statement += token[0]
    if statement.strip():
        yield statement.strip()


def without_strings(statement: str) -> str:
    """The statement on one line, its strings and function bodies emptied: fit for patterns."""

    def emptied(token: re.Match[str]) -> str:
        return "''" if token["quoted"] and not token[0].startswith('"') else token[0]

    return " ".join(TOKEN.sub(emptied, statement).split())
