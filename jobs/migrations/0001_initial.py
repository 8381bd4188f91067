"""Why jobs failed, and what keeps a job that begins from holding up the next one."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import database.triggers
from database.operations import AddTriggerToUnmanaged, LoadFunction

GOES_WITH_ITS_JOB = """
ALTER TABLE job_failures ADD CONSTRAINT job_failures_job_id_fkey
    FOREIGN KEY (job_id) REFERENCES procrastinate_jobs (id) ON DELETE CASCADE
"""
# The list of jobs is there inside a line, too, where nobody is staff.
GRANT = """
GRANT SELECT ON job_failures TO replytics_web;
GRANT SELECT, INSERT, DELETE ON job_failures TO replytics_staff
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("database", "0001_schema_app"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[],
            options={
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("procrastinate.procrastinatejob",),
        ),
        migrations.CreateModel(
            name="JobFailure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="failures",
                        to="jobs.job",
                    ),
                ),
                (
                    "failed_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("now()", ())
                    ),
                ),
                (
                    "error",
                    models.TextField(
                        help_text="The error's class; its text may hold personal data."
                    ),
                ),
                (
                    "place",
                    models.TextField(
                        help_text="The last line of application code in the traceback."
                    ),
                ),
            ],
            options={
                "db_table": "job_failures",
                "ordering": ["-id"],
            },
        ),
        migrations.RunSQL(GOES_WITH_ITS_JOB, migrations.RunSQL.noop),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
        LoadFunction("jobs", "release_queueing_lock"),
        AddTriggerToUnmanaged(
            model_name="job",
            trigger=database.triggers.CompiledTrigger(
                name="release_queueing_lock",
                sql=database.triggers.SharedFunctionSql(
                    condition="WHEN (NEW.status = 'doing' AND NEW.queueing_lock IS NOT NULL)",
                    func="app.release_queueing_lock",
                    operation='UPDATE OF "status"',
                    pgid="release_queueing_lock",
                    table="procrastinate_jobs",
                    when="BEFORE",
                ),
            ),
        ),
    ]
