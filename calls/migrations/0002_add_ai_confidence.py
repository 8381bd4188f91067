"""ai_confidence in three safe steps, 1: a nullable column, filled for new rows by its default.

The default is set apart from ADD COLUMN, so that no step depends on how many rows there are.
"""

from decimal import Decimal

from django.db import migrations, models

ADD = """
ALTER TABLE calls ADD COLUMN ai_confidence numeric(3, 2);
ALTER TABLE calls ALTER COLUMN ai_confidence SET DEFAULT 0.8;
"""
REMOVE = "ALTER TABLE calls DROP COLUMN ai_confidence"


class Migration(migrations.Migration):
    dependencies = [("calls", "0001_initial")]

    operations = [
        migrations.RunSQL(
            ADD,
            REMOVE,
            state_operations=[
                migrations.AddField(
                    model_name="call",
                    name="ai_confidence",
                    field=models.DecimalField(
                        db_default=Decimal("0.8"),
                        decimal_places=2,
                        default=Decimal("0.8"),
                        max_digits=3,
                        null=True,
                        verbose_name="AI confidence",
                    ),
                )
            ],
        ),
    ]
