"""ai_confidence in three safe steps, 3: NOT NULL without a scan under an exclusive lock.

PostgreSQL takes a valid CHECK (… IS NOT NULL) as proof, and validating a CHECK blocks no writer.
"""

from decimal import Decimal

from django.db import migrations, models

STEPS = [
    "ALTER TABLE calls DROP CONSTRAINT IF EXISTS calls_ai_confidence_present",
    "ALTER TABLE calls ADD CONSTRAINT calls_ai_confidence_present"
    " CHECK (ai_confidence IS NOT NULL) NOT VALID",
    "ALTER TABLE calls VALIDATE CONSTRAINT calls_ai_confidence_present",
    "ALTER TABLE calls ALTER COLUMN ai_confidence SET NOT NULL",
    "ALTER TABLE calls DROP CONSTRAINT calls_ai_confidence_present",
]
BACK = ["ALTER TABLE calls ALTER COLUMN ai_confidence DROP NOT NULL"]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("calls", "0003_fill_ai_confidence")]

    operations = [
        migrations.RunSQL(
            STEPS,
            BACK,
            state_operations=[
                migrations.AlterField(
                    model_name="call",
                    name="ai_confidence",
                    field=models.DecimalField(
                        db_default=Decimal("0.8"),
                        decimal_places=2,
                        default=Decimal("0.8"),
                        max_digits=3,
                        verbose_name="AI confidence",
                    ),
                )
            ],
        ),
    ]
