"""A call that the archiver moves counts as before, so it queues nothing.

The archiver proves in the statement itself that what left calls is what arrived in the archive,
line and moment included; whoever counts reads both tables in one snapshot. Only staff may say
that they are archiving, hence the second condition: a tenant's DELETE is queued whatever it says.
"""

from django.db import migrations

TRIGGERS = """
CREATE OR REPLACE TRIGGER calls_queue_deleted AFTER DELETE ON calls
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT {condition} EXECUTE FUNCTION app.queue_deleted_calls();
CREATE OR REPLACE TRIGGER calls_archive_queue_inserted AFTER INSERT ON calls_archive
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT {condition} EXECUTE FUNCTION app.queue_inserted_calls();
"""
NOT_MOVED = """
    WHEN (current_setting('app.archiving', true) IS DISTINCT FROM 'on'
        OR current_user <> 'replytics_staff')
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0023_release_queueing_lock")]

    operations = [
        migrations.RunSQL(TRIGGERS.format(condition=NOT_MOVED), TRIGGERS.format(condition="")),
    ]
