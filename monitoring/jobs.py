"""The statements of a job carry its name."""

from typing import Any

from procrastinate import App, JobContext
from procrastinate.middleware import SyncCallNext

from tenants.scoping.work import working


def name_work(call_next: SyncCallNext, context: JobContext, worker: object) -> Any:
    """Runs in the thread of the task; an asynchronous task keeps the worker's name."""
    assert context.job
    with working(f"job {context.job.task_name}"):
        return call_next()


def on_app_ready(app: App) -> None:
    """PROCRASTINATE_ON_APP_READY."""
    app.worker_defaults.setdefault("task_middleware", []).append(name_work)
