"""The months that a call may be archived into from the first day on.

The document's own statement moves calls into the archive without making its partitions. Later months
are made by each run of the archiver, as are older ones when it moves calls into them.
"""

from django.db import migrations

MAKE_MONTHS = "SELECT app.create_archive_partitions(now() - interval '2 years', now())"
# Backwards nothing is lost: months that hold calls stay.
DROP_EMPTY_MONTHS = """
DO $$ DECLARE
    month regclass;
    is_empty boolean;
BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'calls_archive'::regclass LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', month) INTO is_empty;
        IF is_empty THEN EXECUTE format('DROP TABLE %s', month); END IF;
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0012_legs_and_recordings")]

    operations = [migrations.RunSQL(MAKE_MONTHS, DROP_EMPTY_MONTHS)]
