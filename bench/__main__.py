"""make bench: every contender beside ours, on one machine, by turns; writes bench/RESULTS.md.

Works on databases of its own in a cluster of its own (.postgres/bench), which it drops and stops
in the end. A module that takes too long is stopped: the rows that it had stand.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench import machine
from bench.data import filled_database
from bench.database import CLUSTER, environment, running_cluster, scratch_database
from bench.results import Run, Section, as_markdown
from bench.rows import Row, print_rows
from local.embedded import ROOT

RESULTS = ROOT / "bench" / "RESULTS.md"
STOP_TIMEOUT = 30  # seconds


class Scale(NamedTuple):
    calls: int
    minutes: float  # of the whole run
    patience: int  # how often the seconds of each module


class Module(NamedTuple):
    seconds: int
    writes: bool = False  # gets a copy of the database


SCALES = {"small": Scale(200_000, 13, 1), "full": Scale(2_000_000, 180, 10)}
MODULES = {
    "api": Module(100, writes=True),  # an API key
    "depth": Module(45),
    "isolation": Module(75),
    "scope_overhead": Module(45),
    "workers": Module(80, writes=True),
    "intake": Module(90, writes=True),
    "floods": Module(240, writes=True),  # a login
    "analytics": Module(60, writes=True),
    "archive": Module(130, writes=True),
    "admin_lists": Module(75, writes=True),
    "import_rate": Module(75, writes=True),
    "growth": Module(120, writes=True),
    "decide": Module(60),
    "decide_load": Module(110, writes=True),
    "backtest": Module(120, writes=True),
    "silence": Module(75),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--calls", type=int, help="another number than the scale has")
    parser.add_argument("--minutes", type=float, help="for the whole run, the filling included")
    parser.add_argument("--only", nargs="+", choices=MODULES, help="prints and writes nothing")
    parser.add_argument("--output", type=Path, help=f"default: {RESULTS.relative_to(ROOT)}")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    scale = SCALES[options.scale]
    if options.calls:
        scale = scale._replace(calls=options.calls)
    if options.minutes:
        scale = scale._replace(minutes=options.minutes)
    with _alone():
        run = measure(options.only or list(MODULES), scale)
    output = options.output or (None if options.only else RESULTS)
    if output:
        output.write_text(as_markdown(run))
        print(f"Written: {output}")
    if any(section.trouble for section in run.sections):
        sys.exit("Not everything was measured; see above")


@contextmanager
def _alone() -> Iterator[None]:
    """Two at once would measure each other, and drop each other's databases."""
    CLUSTER.directory.parent.mkdir(exist_ok=True)
    with CLUSTER.directory.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("Another benchmark runs in this checkout; wait for it, or end it")
        yield


def measure(modules: Sequence[str], scale: Scale) -> Run:
    began, clock, load = datetime.now(UTC), time.monotonic(), machine.load()
    sections = []
    with running_cluster(), filled_database("bench_calls", scale.calls) as filled:
        print(f"{scale.calls:,} calls after {time.monotonic() - clock:.0f} s", flush=True)
        for name in modules:
            section = Section(name)
            sections.append(section)
            left = scale.minutes * 60 - (time.monotonic() - clock)
            limit = min(MODULES[name].seconds * scale.patience, left)
            if limit <= 0:
                section.trouble = "no time was left for it"
                continue
            begun = time.monotonic()
            with _database_for(name, filled) as database:
                print_rows(_rows_of(section, database, scale.calls, limit))
            section.seconds = time.monotonic() - begun
            if section.trouble:
                print(f"{name}: {section.trouble}", flush=True)
        return Run(
            began=began,
            calls=scale.calls,
            machine=machine.describe_machine(),
            versions=machine.describe_versions(),
            settings=machine.describe_settings(),
            load=f"load {load:.1f} before the run and {machine.load():.1f} at its end",
            minutes=(time.monotonic() - clock) / 60,
            sections=sections,
        )


@contextmanager
def _database_for(name: str, filled: str) -> Iterator[str]:
    if not MODULES[name].writes:
        yield filled
        return
    with scratch_database(f"bench_{name}", template=filled) as copy:
        yield copy


def _rows_of(section: Section, database: str, calls: int, limit: float) -> Iterator[Row]:
    """As they come from the process of the module, which may take so many seconds."""
    command = [sys.executable, "-m", "bench.child", section.module, str(calls)]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment(database),
        stdout=subprocess.PIPE,
        start_new_session=True,  # what it starts is in its group
    )
    is_late = threading.Event()

    def stop() -> None:
        is_late.set()
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(STOP_TIMEOUT)
        _end_group(child)

    timer = threading.Timer(limit, stop)
    timer.start()
    try:
        assert child.stdout is not None
        for line in child.stdout:
            row = Row(**json.loads(line))
            section.rows.append(row)
            yield row
        if child.wait():
            section.trouble = "it failed; see its message in the terminal"
        if is_late.is_set():
            section.trouble = f"stopped after {limit:.0f} s"
    finally:
        timer.cancel()
        if child.poll() is None:
            stop()
        _end_group(child)


def _end_group(child: "subprocess.Popen[bytes]") -> None:
    """Whatever a module left behind, so that the next one has the machine for itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
