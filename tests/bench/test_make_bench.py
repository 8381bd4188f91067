"""The real command, on so few calls that its figures mean nothing."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.database import CLUSTER, LEFTOVERS, connect
from local.embedded import ROOT, SUPERUSER

COMMAND = [sys.executable, "-m", "bench", "--calls", "2000"]
# Both in turn: they would find each other's lock.
pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("bench")]


def bench(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return f"{process.pid}, which has ended"


def left_behind(processes: list[psutil.Process]) -> list[str]:
    _, alive = psutil.wait_procs(processes, timeout=30)
    return [command_of(process) for process in alive]


def databases() -> list[str]:
    CLUSTER.start()  # not as a benchmark does, which drops what a killed one left
    try:
        with connect(SUPERUSER, "postgres") as server:
            return [str(name) for (name,) in server.execute(LEFTOVERS).fetchall()]
    finally:
        CLUSTER.stop()


def test_bench_writes_a_table_of_what_it_measured(tmp_path: Path) -> None:
    written = tmp_path / "RESULTS.md"

    running = bench("--only", "depth", "--output", str(written))
    said, _ = running.communicate(timeout=300)

    assert running.returncode == 0, said
    table = written.read_text()
    assert "## depth" in table
    assert "| offset SQL |" in table
    assert "| DRF page numbers |" in table
    assert "python -m bench --only depth --calls 2000" in table
    assert "PostgreSQL" in table
    assert str(ROOT) not in table
    assert not re.search(rf"\b{re.escape(os.uname().nodename)}\b", table.replace("localhost", ""))
    assert not CLUSTER.is_running()


def test_bench_that_is_stopped_stops_what_it_started() -> None:
    running = bench("--only", "workers")
    assert running.stdout is not None
    said, started = "", list[psutil.Process]()
    for line in running.stdout:
        said += line
        if "calls after" in line:  # the module's process comes next, and its web servers
            while not any("gunicorn" in command_of(one) for one in started):
                assert running.poll() is None
                started = psutil.Process(running.pid).children(recursive=True)
            break

    running.send_signal(signal.SIGTERM)
    running.wait(120)

    assert started, said
    assert running.returncode != 0
    assert left_behind(started) == []
    assert not CLUSTER.is_running()
    assert databases() == []
