"""Schema app, for what policies, CHECKs and triggers call: functions, and tables nobody else reads."""

from django.db import migrations

from database.operations import LoadFunction

SCHEMA = """
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO PUBLIC;
"""
# The serving logins may ask which migrations ran; they never write the answer.
LOGINS = "replytics_api, replytics_intake, replytics_web, replytics_staff"
GRANT = f"GRANT SELECT ON django_migrations TO {LOGINS}"
REVOKE = f"REVOKE SELECT ON django_migrations FROM {LOGINS}"


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunSQL(SCHEMA, "DROP SCHEMA app"),
        migrations.RunSQL(GRANT, REVOKE),
        LoadFunction("database", "is_timezone"),
        LoadFunction("database", "update_updated_at_column"),
    ]
