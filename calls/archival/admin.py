"""The archiver's ledger in the admin, read-only."""

from django.contrib import admin

from calls.archival.models import ArchiveRun
from tenants.line_admin import LineFilter, ReadOnlyAdmin


@admin.register(ArchiveRun)
class ArchiveRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "kind",
        "outcome",
        "selection",
        "calls",
        "took",
        "started_at",
        "started_by",
    )
    has_times = True
    list_filter = (LineFilter, "kind", "state")
    ordering = ("-id",)
    sortable_by = ("id",)

    @admin.display(description="outcome")
    def outcome(self, run: ArchiveRun) -> str:
        return run.outcome

    @admin.display(description="took")
    def took(self, run: ArchiveRun) -> str:
        return f"{run.duration.total_seconds():,.1f} s"
