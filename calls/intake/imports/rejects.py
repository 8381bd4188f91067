"""The report of the rows that an import could not load."""

import csv
import io
import os
from pathlib import Path
from typing import Self

from backoffice.exporting import cell

HEADER = ["row", "call_sid", "reason"]


class NoRejectsFile(Exception):
    """The report cannot be written there; the message says what to do."""


class RejectsFile:
    """A CSV of row, call SID and reason, readable only by its owner since reasons quote numbers.

    It replaces the report of an earlier run, but no other file. Without rejected rows no file is
    left.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_needed = False

    def __enter__(self) -> Self:
        try:
            if self.path.is_file() and self.path.stat().st_size:
                with self.path.open(encoding="utf-8", errors="replace") as earlier:
                    if earlier.readline().strip() != ",".join(HEADER):
                        raise NoRejectsFile(
                            f"{self.path} is not a rejects file; choose another with --rejects"
                        )
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise NoRejectsFile(
                f"{self.path} cannot be written: {error.strerror}; choose another with --rejects"
            ) from None
        self._file = io.TextIOWrapper(os.fdopen(descriptor, "wb"), encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._csv.writerow(HEADER)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self._is_needed and self.path.is_file():
            self.path.unlink()

    def add(self, row: int, call_sid: str, reason: str) -> None:
        self._is_needed = True
        self._csv.writerow([row, cell(call_sid), cell(reason)])
