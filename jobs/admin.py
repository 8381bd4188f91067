"""The worker's jobs in the admin: what ran, what failed and why; retrying and cancelling."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from procrastinate.exceptions import ConnectorException

from backoffice.display import bullets, moment, plural
from backoffice.modeladmin import BackofficeAdmin, ReadOnly
from jobs.models import Job, JobFailure

admin.site.unregister(ProcrastinateJob)


class JobStatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status, status) for status in Job.STATUSES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(status=chosen) if chosen in Job.STATUSES else queryset


class TaskFilter(admin.SimpleListFilter):
    title = "task"
    parameter_name = "task_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted((name, name.rpartition(".")[2]) for name in app.tasks)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(task_name=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnly, BackofficeAdmin):
    """Read-only. Users who may change jobs can retry failed and cancel waiting ones."""

    list_display = ("id", "task", "status", "attempts", "failed", "last_error", "changed_at")
    list_filter = (JobStatusFilter, TaskFilter)
    search_fields = ()
    ordering = ("-id",)
    actions = ("retry_failed", "cancel_waiting")
    fields = (
        "id",
        "task_name",
        "status",
        "attempts",
        "arguments",
        "queue_name",
        "lock",
        "queueing_lock",
        "due_at",
        "history",
    )
    readonly_fields = fields

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("jobs.view_job")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        failures = JobFailure.objects.filter(job=OuterRef("pk")).order_by("-id")
        count = failures.order_by().values("job").annotate(count=Count("*")).values("count")
        events = ProcrastinateEvent.objects.filter(job=OuterRef("pk")).order_by("-id")
        jobs: QuerySet[Any] = super().get_queryset(request)
        # Of the rows of a page alone: PostgreSQL computes these after LIMIT.
        annotated: QuerySet[Any] = jobs.annotate(
            failure_count=Subquery(count),
            error=Subquery(failures.values("error")[:1]),
            place=Subquery(failures.values("place")[:1]),
            failed_at=Subquery(failures.values("failed_at")[:1]),
            last_event_at=Subquery(events.values("at")[:1]),
        )
        return annotated

    @admin.display(description="Task")
    def task(self, job: Any) -> str:
        return str(job.task_name).rpartition(".")[2]

    @admin.display(description="Failures")
    def failed(self, job: Any) -> int:
        return job.failure_count or 0

    @admin.display(description="Last error")
    def last_error(self, job: Any) -> str:
        if not job.error:
            return "-"
        return f"{job.error}, {moment(job.failed_at)}, {job.place or 'outside the application'}"

    @admin.display(description="Last change")
    def changed_at(self, job: Any) -> str:
        return moment(job.last_event_at)

    @admin.display(description="Due")
    def due_at(self, job: Any) -> str:
        return moment(job.scheduled_at)

    @admin.display(description="Arguments")
    def arguments(self, job: Any) -> str:
        return ", ".join(_argument(*argument) for argument in job.args.items()) or "-"

    @admin.display(description="History")
    def history(self, job: Any) -> SafeString:
        events = [(event.at, event.type) for event in job.procrastinateevent_set.all()]
        failures = [(failure.failed_at, str(failure)) for failure in job.failures.all()]
        return bullets(f"{moment(at)}: {what}" for at, what in sorted(events + failures))

    @admin.action(description="Retry failed jobs", permissions=["retry"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        retried = queued = 0
        for job in queryset.filter(status="failed"):
            if _is_queued(job):
                queued += 1
                continue
            try:
                with transaction.atomic():
                    app.job_manager.retry_job_by_id(job.pk, timezone.now())
            except ConnectorException:  # queued by the schedule, or retried by somebody else
                queued += 1
                continue
            self.log_change(request, job, "Retried.")
            retried += 1
        message = f"{plural(retried, 'job')} queued for retry."
        self.message_user(request, message, messages.SUCCESS)
        if queued:
            message = f"{plural(queued, 'job')} not retried: the same job is already queued."
            self.message_user(request, message, messages.WARNING)

    @admin.action(description="Cancel waiting jobs", permissions=["retry"])
    def cancel_waiting(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        cancelled = 0
        for job in queryset.filter(status="todo"):
            if app.job_manager.cancel_job_by_id(job.pk):
                self.log_change(request, job, "Cancelled.")
                cancelled += 1
        self.message_user(request, f"{plural(cancelled, 'job')} cancelled.", messages.SUCCESS)


def _is_queued(job: Any) -> bool:
    """Whether a job waits that does the same: its arguments are equal, but for when it was due."""
    waiting = Job.objects.filter(status="todo", task_name=job.task_name)
    wanted = _without_time(job.args)
    return any(_without_time(args) == wanted for args in waiting.values_list("args", flat=True))


def _without_time(args: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in args.items() if name != "timestamp"}


def _argument(name: str, value: object) -> str:
    if name == "timestamp" and isinstance(value, int):
        return f"scheduled for {moment(datetime.fromtimestamp(value, UTC))}"
    return f"{name}: hidden"
