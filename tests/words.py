"""The word list of `make lint`: words that this project does not use, and what to write instead.

It reads product code, templates, SQL and documents. Tests and benchmarks are free to use any word.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXTS = ("*.py", "*.html", "*.js", "*.sql", "*.md", "*.toml", "*.txt", "Makefile", ".env.example")
# The changelog quotes old messages; these rooms are not the product; a list names its own words.
EXCLUDED = ("tests", "bench", "typescript", "CHANGELOG.md", "CONTRIBUTING.md")

# A pattern, and what to write instead. Case matters only where a pattern says so.
PHRASES = {
    r"\b(?-i:MOST|LONGEST|LARGEST|DEEPEST|FEWEST|LEAST)(?-i:_[A-Z])": "MAX_… or MIN_…",
    r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b)[a-z]+": '"is not a …: expected …"',
    r"\brid of\b": '"removed"',
    r"\bof ours\b": '"our …"',
    r"\b(?:can(?:not)?|could) be had\b": '"unavailable", "is missing"',
    r"\bbusy or away\b": '"busy or unavailable"',
    r"\b(?:was|were) so already\b": '"unchanged"',
    r"\bmakes no sense\b": '"invalid"',
    r"\bgoes from .+ to\b": '"must be from … to …"',
    r"\blanes?\b": '"route", "pool", "middleware"',
    r"\bpatience\b": '"timeout", "deadline", "retry"',
}
# Names in code, which read as sentences of their own and not as the field's terms.
NAMES = {
    "says": "summary, description, describe()",
    "said": "data, values, text",
    "told": "notified, output",
    "elsewhere": "what it is: other_list, archived, …",
}


def main() -> int:
    """Print each place where a word of the list is used; returns how many there are."""
    found = 0
    for path in files():
        text = path.read_text()
        for line, word, instead in sorted({*phrases(text), *names(path, text)}):
            print(f"{path.relative_to(ROOT)}:{line}: {word!r}; write {instead}")
            found += 1
    return found


def files() -> Iterator[Path]:
    names = [*TEXTS, *(f":!{name}" for name in EXCLUDED)]
    listed = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard", "--", *names],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            yield ROOT / name


def phrases(text: str) -> Iterator[tuple[int, str, str]]:
    for pattern, instead in PHRASES.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield text.count("\n", 0, match.start()) + 1, match[0], instead


def names(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    """The names of a module, a template or a script that are on the list."""
    if path.suffix == ".py":
        found = python_names(ast.parse(text))
    elif path.suffix == ".html":
        found = code_names(text, r"\{[{%](.*?)[}%]\}")
    elif path.suffix in (".js", ".sql"):
        found = code_names(re.sub(r"'[^'\n]*'|//.*|--.*", "", text), r"(.+)")
    else:
        return
    for line, name in found:
        if name in NAMES:
            yield line, name, NAMES[name]


def python_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for field in ("id", "attr", "name", "arg"):
            if isinstance(name := getattr(node, field, None), str):
                yield line, name


def code_names(text: str, pattern: str) -> Iterator[tuple[int, str]]:
    for match in re.finditer(pattern, text):
        for name in re.findall(r"\w+", match[1]):
            yield text.count("\n", 0, match.start()) + 1, name


if __name__ == "__main__":
    sys.exit(min(main(), 1))
