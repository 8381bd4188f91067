"""What an import reports at its end."""

from pathlib import Path

from calls.intake.imports.importing import Counts


def report(counts: Counts, rejects: Path, *, dry_run: bool) -> str:
    archived = f" ({counts.archived} of them archived)" if counts.archived else ""
    lines = [
        f"read {counts.read}, loaded {counts.loaded}, updated {counts.updated},"
        f" already there {counts.already_there}{archived}, rejected {counts.rejected}"
    ]
    if dry_run:
        lines.append("Dry run: nothing was changed.")
    if counts.ignored_columns:
        names = ", ".join(map(repr, sorted(counts.ignored_columns)[:10]))
        lines.append(f"Columns that were ignored, since calls have none: {names}")
    if counts.rejected:
        lines.append(f"The rejected rows and the reasons: {rejects}")
    return "\n".join(lines)
