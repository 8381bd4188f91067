"""How a log line is written."""

import logging
from typing import Any

from database.errors import format_traceback


class LineFormatter(logging.Formatter):
    """Tracebacks without what an error of the database quotes of a row or a statement."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # where another handler has left its own
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        return format_traceback(ei[1])
