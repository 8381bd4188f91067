"""A process that ends is started again, later each time that it ends soon."""

import sys
import time

import psutil
import pytest

from local import supervisor
from local.supervisor import Supervised, orphans, running


def ended(process: Supervised) -> None:
    while process.exit_code() is None:
        time.sleep(0.01)


def test_pauses_grow_while_it_ends_soon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    process = Supervised("service", [sys.executable, "-c", "raise SystemExit(3)"])
    process.start()
    for pause in ("1", "2", "4"):
        ended(process)
        before = process.pid
        process.revive()
        assert f"The service ended with code 3; starting it again in {pause} s" in (
            capsys.readouterr().out
        )
        process.revive()  # its pause is not over
        assert process.pid == before
        clock[0] += float(pause)
        process.revive()
        assert process.pid != before
    clock[0] += supervisor.STEADY_AFTER
    ended(process)
    process.revive()
    assert "starting it again in 0.5 s" in capsys.readouterr().out


def test_all_that_a_process_started_is_stopped_with_it() -> None:
    program = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    process = Supervised("service", [sys.executable, "-c", program])
    with running([process]):
        parent = psutil.Process(process.pid)
        while not parent.children():
            time.sleep(0.01)
        [child] = parent.children()
        parent.kill()
        ended(process)
        process.revive()
        psutil.wait_procs([child], timeout=60)
        assert not child.is_running()
    assert process.exit_code() is not None


def test_what_a_living_launcher_started_is_no_orphan() -> None:
    process = Supervised("service", ["sleep", "600"])
    with running([process]):
        assert process.pid not in {orphan.pid for orphan in orphans()}
        alive = Supervised("service", ["sleep", "600"], {supervisor.LAUNCHER: "1:0.5"})
        with running([alive]):
            assert alive.pid in {orphan.pid for orphan in orphans()}
