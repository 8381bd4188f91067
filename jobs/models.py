"""The jobs of the worker and why some of them failed."""

import pgtrigger
from django.db import models
from procrastinate.contrib.django.models import ProcrastinateJob

from database.columns import NOW
from database.triggers import RunFunction


class Job(ProcrastinateJob):
    """A job of the worker; its name does not include its arguments."""

    shared_because = "jobs of the worker name no line"

    class Meta:
        proxy = True
        triggers = [
            RunFunction(
                name="release_queueing_lock",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Condition(
                    "NEW.status = 'doing' AND NEW.queueing_lock IS NOT NULL"
                ),
                func="app.release_queueing_lock",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_name.rpartition('.')[2]} {self.pk}"


class JobFailure(models.Model):
    """One failure of a job, deleted with its job."""

    shared_because = "an error class and a place in the code; it reveals nothing about any line"

    job = models.ForeignKey(
        Job,
        on_delete=models.DO_NOTHING,  # PostgreSQL does it
        db_constraint=False,
        related_name="failures",
    )
    failed_at = models.DateTimeField(db_default=NOW)
    error = models.TextField(help_text="The error's class; its text may hold personal data.")
    place = models.TextField(help_text="The last line of application code in the traceback.")

    class Meta:
        db_table = "job_failures"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.error} at {self.place}"
