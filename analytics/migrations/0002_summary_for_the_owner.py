"""The owner of the tables, who has the rights of staff, reads the summary of every line too."""

from django.db import migrations

VIEW = """
CREATE OR REPLACE VIEW phone_performance_summary WITH (security_barrier) AS
SELECT * FROM mv.phone_performance_summary WHERE {is_staff}
UNION ALL
SELECT * FROM mv.phone_performance_summary
WHERE {is_not_staff} AND phone_id = (SELECT app.phone())
"""
# By inheritance: replytics_web may become staff, and is not staff before that.
HAS_RIGHTS_OF_STAFF = "pg_has_role(current_user, 'replytics_staff', 'USAGE')"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [
        migrations.RunSQL(
            VIEW.format(is_staff=HAS_RIGHTS_OF_STAFF, is_not_staff=f"NOT {HAS_RIGHTS_OF_STAFF}"),
            VIEW.format(
                is_staff="current_user = 'replytics_staff'",
                is_not_staff="current_user <> 'replytics_staff'",
            ),
        )
    ]
