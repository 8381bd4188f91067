"""Added NOT VALID: new rows are checked at once, old ones by the next migration."""

from decimal import Decimal

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0004_require_ai_confidence")]

    operations = [
        AddConstraintNotValid(
            model_name="call",
            constraint=models.CheckConstraint(
                condition=models.Q(("duration__gte", 0)),
                name="check_duration_positive",
                violation_error_message="Duration must be 0 seconds or more.",
            ),
        ),
        AddConstraintNotValid(
            model_name="call",
            constraint=models.CheckConstraint(
                condition=models.Q(("ai_confidence__range", (Decimal("0"), Decimal("1")))),
                name="calls_ai_confidence_range",
                violation_error_message="Confidence must be from 0 to 1.",
            ),
        ),
    ]
