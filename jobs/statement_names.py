"""The statements of a job carry its name."""

from typing import Any

from procrastinate import App, JobContext
from procrastinate.middleware import SyncCallNext

from database.statement_context import statement_context


def name_work(call_next: SyncCallNext, context: JobContext, worker: object) -> Any:
    """Runs in the thread of the task; an asynchronous task keeps the worker's name."""
    assert context.job
    with statement_context(f"job {context.job.task_name}"):
        return call_next()


def name_jobs(app: App) -> None:
    """Called by procrastinate when its app is ready."""
    app.worker_defaults.setdefault("task_middleware", []).append(name_work)
