"""The index of low confidence whose rows had to be looked up; idx_calls_waiting serves its lists."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0066_count_the_queue_in_an_index")]

    operations = [RemoveIndexConcurrently(model_name="call", name="idx_calls_low_confidence")]
