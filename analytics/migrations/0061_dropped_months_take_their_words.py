"""A month that leaves the archive takes the words of its calls along."""

from importlib import import_module

from django.db import migrations

sealed_months = import_module("analytics.migrations.0020_sealed_months")

# DETACH and DROP fire no trigger.
FORGET_WORDS = """
    EXECUTE format('DELETE FROM public.call_search s USING public.%I p'
        ' WHERE s.call_id = p.id', partition);"""


def drop_partition(more: str) -> str:
    function: str = sealed_months.DROP_PARTITION
    return function.replace("{seal}", sealed_months.SEAL + more)


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0060_moves_change_no_number"),
        ("calls", "0062_words_follow_the_archive"),
    ]

    operations = [migrations.RunSQL(drop_partition(FORGET_WORDS), drop_partition(""))]
