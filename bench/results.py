"""bench/RESULTS.md: what a run of `make bench` found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bench.rows import Row

HEAD = "| work | ours | peer | theirs | ratio | target | |\n|---|---|---|---|---|---|---|"
VERDICTS = {None: "", True: "met", False: "**missed**"}


@dataclass
class Section:
    """The rows of one module, and why there are not more, if so."""

    module: str
    seconds: float = 0
    rows: list[Row] = field(default_factory=list)
    trouble: str = ""


@dataclass(kw_only=True)
class Run:
    began: datetime
    calls: int
    machine: str
    versions: str
    settings: str
    load: str
    minutes: float
    sections: Sequence[Section]


def as_markdown(run: Run) -> str:
    judged = [row.is_met() for section in run.sections for row in section.rows]
    lines = [
        "# Results",
        "",
        "Written by `make bench`; [README.md](README.md) says what is measured and how.",
        "",
        f"- {run.began:%Y-%m-%d}, {run.calls:,} calls of 1,000 lines, {run.minutes:.1f} minutes",
        f"- targets: {judged.count(True)} met, {judged.count(False)} missed",
        f"- machine: {run.machine}; {run.load}",
        f"- versions: {run.versions}",
        f"- PostgreSQL: {run.settings}",
        "",
        "Times are medians with the 99th percentile in brackets. A ratio is the median of those of"
        " neighbouring rounds; `>=` is of how many times as fast, `<=` of how many times as slow.",
    ]
    for section in run.sections:
        lines += ["", f"## {section.module}", ""]
        command = f"python -m bench --only {section.module} --calls {run.calls}"
        lines.append(f"`{command}`, {section.seconds:.0f} s")
        if section.rows:
            lines += ["", HEAD, *map(as_line, section.rows)]
        notes = [f"- {row.work}: {row.note}" for row in section.rows if row.note]
        if notes:
            lines += ["", *notes]
        if section.trouble:
            lines += ["", f"**Not complete:** {section.trouble}"]
    return "\n".join(lines) + "\n"


def as_line(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    cells = [row.work, row.ours, row.peer, row.theirs, ratio, row.target]
    escaped = [cell.replace("|", "\\|") for cell in [*cells, VERDICTS[row.is_met()]]]
    return f"| {' | '.join(escaped)} |"
