"""What the worker does around each job."""

from procrastinate import App

from jobs.failures import keep_failures
from jobs.statement_names import name_jobs


def on_app_ready(app: App) -> None:
    """PROCRASTINATE_ON_APP_READY."""
    keep_failures(app)
    name_jobs(app)
