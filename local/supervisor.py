"""Processes that run until they are stopped, and are restarted if they exit."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import psutil

from local.embedded import ROOT

# Longer than gunicorn's graceful_timeout.
STOP_TIMEOUT = 25  # seconds
# Seconds until a process that ended is started again, more each time that it ends soon.
BACK_OFF = (0.5, 1, 2, 4, 8, 16, 30)
STEADY_AFTER = 60  # seconds
# In the environment of whatever a launcher started: which process that is.
LAUNCHER = "REPLYTICS_LAUNCHER"


class Supervised:
    """A process and its children. name is for messages, such as "api service"."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._command = command
        self._environment = {LAUNCHER: _identity(psutil.Process()), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._due: float | None = None
        self._failures = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the launcher alone, which stops all in order.
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=os.environ | self._environment,
            start_new_session=True,
        )
        self._began = time.monotonic()
        self._due = None

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    def revive(self) -> None:
        """Start it again if it ended, once its pause is over; tells so."""
        code = self.exit_code()
        if code is None:
            return
        now = time.monotonic()
        if self._due is None:
            self._end_group()
            steady = now - self._began >= STEADY_AFTER
            self._failures = 0 if steady else self._failures + 1
            pause = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
            self._due = now + pause
            print(
                f"The {self.name} ended with code {code}; starting it again in {pause:g} s",
                flush=True,
            )
        if now >= self._due:
            self.start()

    def terminate(self) -> None:
        if self._process:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Until it and what it started have ended; after the deadline they are killed."""
        if self._process is None:
            return
        # The workers of a web server that was killed end a moment after it.
        while self._process.poll() is None or any(self._group()):
            if time.monotonic() > deadline:
                self._end_group()
                self._process.wait()
                return
            time.sleep(0.05)

    def _end_group(self) -> None:
        assert self._process
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _group(self) -> Iterator[psutil.Process]:
        """It and what it started, as far as they still run."""
        for process in psutil.process_iter():
            try:
                is_of_us = os.getpgid(process.pid) == self.pid
                if is_of_us and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
            except (psutil.Error, ProcessLookupError):
                continue


@contextmanager
def running(processes: Sequence[Supervised]) -> Iterator[None]:
    """Starts the processes in this order; finally stops all and waits for them."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for process in reversed(processes):
            process.wait(deadline)


def orphans() -> list[psutil.Process]:
    """What launchers of this checkout started that were killed meanwhile."""
    found = []
    for process in psutil.process_iter():
        try:
            launcher = process.environ().get(LAUNCHER)
            if launcher and process.cwd() == str(ROOT) and not _lives(launcher):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def end(processes: Iterable[psutil.Process]) -> None:
    """Gracefully, as far as they end in time."""
    remaining = list(processes)
    for process in remaining:
        with suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(remaining, timeout=STOP_TIMEOUT)[1]:
        with suppress(psutil.Error):
            process.kill()


def _identity(process: psutil.Process) -> str:
    return f"{process.pid}:{process.create_time()}"


def _lives(identity: str) -> bool:
    with suppress(psutil.Error, ValueError):
        return _identity(psutil.Process(int(identity.partition(":")[0]))) == identity
    return False
