"""Why each job failed, for as long as the job itself is kept."""

import logging
import traceback
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from procrastinate import JobContext
from procrastinate.middleware import AsyncCallNext

from database.errors import optional_step
from tenancy import all_tenants

logger = logging.getLogger(__name__)


async def record_failure(call_next: AsyncCallNext, context: JobContext, worker: Any) -> Any:
    try:
        return await call_next()
    except Exception as error:
        await sync_to_async(_record)(context.job.id, error)
        raise


def _record(job_id: Any, error: Exception) -> None:
    from jobs.models import JobFailure

    # That the database is away is often the reason that the job failed.
    with (
        optional_step(logger, f"The failure of job {job_id} was not recorded"),
        all_tenants("failure of a job"),
    ):
        JobFailure.objects.create(job_id=job_id, error=_kind(error), place=_place(error))


def _kind(error: BaseException) -> str:
    """Its class and that of its cause: OperationalError (QueryCanceled)."""
    name = type(error).__name__
    return f"{name} ({type(error.__cause__).__name__})" if error.__cause__ else name


def _place(error: BaseException) -> str:
    """analytics/rollups.py:171 in roll_up, or nothing where none of our code is in the trace."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        ours = path.is_relative_to(settings.BASE_DIR) and "site-packages" not in path.parts
        # Every statement passes through tenancy/, whoever sent it.
        if ours and not path.is_relative_to(settings.BASE_DIR / "tenancy"):
            return f"{path.relative_to(settings.BASE_DIR)}:{frame.lineno} in {frame.name}"
    return ""
