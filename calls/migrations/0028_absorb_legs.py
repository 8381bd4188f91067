"""What was taken for a call, or claimed, becomes a leg with all that is known of it."""

from django.db import migrations

from database.operations import LoadFunction


class Migration(migrations.Migration):
    dependencies = [("calls", "0027_digests_of_signed_text")]

    operations = [
        LoadFunction("calls", "absorb_call"),
        LoadFunction("calls", "keep_call_leg", again=True),
        LoadFunction("calls", "apply_call_event", again=True),
    ]
