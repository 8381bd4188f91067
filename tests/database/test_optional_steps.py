"""What may fail is logged: briefly while the database is away, with a traceback where we erred."""

import logging

import pytest
from django.db import connection, transaction

from database.errors import optional_step

FULL = "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"
logger = logging.getLogger("test")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "level", "cause", "has_traceback"),
    [
        (FULL, "WARNING", "DiskFull", False),
        ("SELECT 1/0", "ERROR", "DivisionByZero", True),
        ("SELECT no_such_column", "ERROR", "UndefinedColumn", True),
    ],
)
def test_a_failed_step_is_logged(
    caplog: pytest.LogCaptureFixture, sql: str, level: str, cause: str, has_traceback: bool
) -> None:
    with (
        optional_step(logger, "The step failed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    [found] = caplog.records
    assert (found.levelname, found.getMessage()) == (level, f"The step failed: {cause}")
    assert bool(found.exc_info) is has_traceback
