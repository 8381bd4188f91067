"""A file's values are kept with the state of the call that they came with."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.constraints
import tenancy.models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0029_recordings_by_address"),
        ("tenants", "0005_voices_of_the_installation"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportedState",
            fields=[
                (
                    "call",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="calls.call",
                    ),
                ),
                (
                    "states",
                    models.JSONField(
                        help_text="For each column how far the call had come, and the MD5 of the value."
                    ),
                ),
                ("phone", tenancy.models.TenantForeignKey(related_name="+")),
            ],
            options={
                "verbose_name": "imported state",
                "db_table": "imported_states",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["phone"], name="idx_imported_states_phone")],
                "constraints": [
                    tenancy.constraints.TenantRLS(
                        column="phone_id", name="calls_importedstate_rls", tenant_may="SELECT"
                    ),
                    tenancy.constraints.TenantKeyConstraint(name="calls_importedstate_line"),
                    tenancy.constraints.CascadeForeignKey(
                        column="call_id", name="imported_states_call", references="calls"
                    ),
                ],
            },
        ),
    ]
