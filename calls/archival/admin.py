"""The archiver's ledger in the admin: to be read, never to be changed."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from calls.archival.models import ArchiveRun

if TYPE_CHECKING:
    RunAdmin = admin.ModelAdmin[ArchiveRun]
else:
    RunAdmin = admin.ModelAdmin


@admin.register(ArchiveRun)
class ArchiveRunAdmin(RunAdmin):
    list_display = ["id", "kind", "outcome", "asked", "calls", "took", "started_at", "started_by"]
    list_filter = ["kind", "state"]
    show_full_result_count = False

    @admin.display(description="outcome", ordering="state")
    def outcome(self, run: ArchiveRun) -> str:
        return run.outcome

    @admin.display(description="took")
    def took(self, run: ArchiveRun) -> str:
        return f"{run.duration.total_seconds():,.1f} s"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ArchiveRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ArchiveRun | None = None) -> bool:
        return False
