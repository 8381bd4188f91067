"""What queues an hour to be counted again: triggers on calls, their archive and the lines.

The tables belong to rooms that know nothing of statistics; hence proxies of their models. The
queue is append-only: nothing is ever updated or merged on the way in, so a writer waits for no
other writer and no change can hide behind another one's row.
"""

import pgtrigger

from calls.models import NOT_MOVED, Call, CallArchive, StatementTrigger
from database.triggers import RunFunction
from tenants.models import PhoneNumber

INSERTED = pgtrigger.Referencing(new="inserted")  # type: ignore[no-untyped-call]
DELETED = pgtrigger.Referencing(old="deleted")  # type: ignore[no-untyped-call]


class CountedCall(Call):
    """A call as the statistics see it.

    A call that the archiver moves counts as before, so it queues nothing: the archiver proves that
    what left calls is what arrived in the archive, and whoever counts reads both in one snapshot.
    """

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            StatementTrigger(
                name="calls_queue_inserted",
                operation=pgtrigger.Insert,
                referencing=INSERTED,
                func="app.queue_new_calls",
            ),
            StatementTrigger(
                name="calls_queue_deleted",
                operation=pgtrigger.Delete,
                referencing=DELETED,
                condition=pgtrigger.Condition(NOT_MOVED),
                func="app.queue_deleted_calls",
            ),
            # Per row, since only that can skip an update of a transcript before any function is
            # called.
            RunFunction(
                name="calls_queue_updated",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.status, OLD.provider_status, OLD.duration, OLD.caller_number,"
                    " OLD.created_at) IS DISTINCT FROM (NEW.status, NEW.provider_status,"
                    " NEW.duration, NEW.caller_number, NEW.created_at))"
                ),
                func="app.queue_updated_call",
            ),
        ]


class CountedArchivedCall(CallArchive):
    """An archived call as the statistics see it."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            StatementTrigger(
                name="calls_archive_queue_inserted",
                operation=pgtrigger.Insert,
                referencing=INSERTED,
                condition=pgtrigger.Condition(NOT_MOVED),
                func="app.queue_inserted_calls",
            ),
            StatementTrigger(
                name="calls_archive_queue_deleted",
                operation=pgtrigger.Delete,
                referencing=DELETED,
                func="app.queue_deleted_calls",
            ),
        ]


class CountedLine(PhoneNumber):
    """A line as the statistics see it: its clock cuts the days."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            RunFunction(
                name="phone_numbers_requeue",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.timezone IS DISTINCT FROM NEW.timezone"),
                func="app.requeue_line",
            ),
        ]
