"""What the worker does around each job."""

from typing import Any

from procrastinate import App, JobContext
from procrastinate.middleware import SyncCallNext

from database.statement_context import statement_context
from jobs.failures import record_failure


def on_app_ready(app: App) -> None:
    """PROCRASTINATE_ON_APP_READY: no job fails without a JobFailure or runs without a name."""
    app.worker_defaults.setdefault("worker_middleware", []).append(record_failure)
    app.worker_defaults.setdefault("task_middleware", []).append(name_statements)


def name_statements(call_next: SyncCallNext, context: JobContext, worker: object) -> Any:
    """The statements of a job carry its name; an asynchronous task keeps the worker's."""
    assert context.job
    with statement_context(f"job {context.job.task_name}"):
        return call_next()
