"""A call that a program names is stored under a SID of its own until the provider confirms it."""

from django.db import migrations

import tenancy.constraints
from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0013_past_months_of_archive")]

    operations = [
        LoadFunction("calls", "claimed_sid"),
        LoadFunction("calls", "claim_call"),
        LoadFunction("calls", "apply_call_event", again=True),
        # A function that is replaced keeps the grants that its file does not name any more.
        migrations.RunSQL(
            "REVOKE ALL ON FUNCTION app.line_of_call(text), app.adopt_call_events(text)"
            " FROM replytics_api",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveConstraint("call", "calls_call_api"),
        migrations.AddConstraint(
            "call",
            tenancy.constraints.ApiRights(
                "SELECT, UPDATE (recording_url, transcript, ai_summary, ai_confidence)",
                name="calls_call_api",
            ),
        ),
    ]
