"""The settings that decisions of calls were made with."""

import uuid

from django.db import models

from database.columns import NOW, RANDOM_UUID, is_object
from database.exact_json import ExactJSONField
from tenancy.constraints import ApiRights, TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel


class DecisionSettings(TenantModel):
    """The settings of a line as a decision read them, once for each version that decided."""

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RANDOM_UUID, editable=False
    )
    phone = TenantForeignKey(related_name="decision_settings")
    version = models.TextField(help_text="StoredSettings.version.")
    settings = ExactJSONField(help_text="StoredSettings.document.")
    created_at = models.DateTimeField(db_default=NOW, editable=False)

    class Meta(TenantModel.Meta):
        db_table = "decision_settings"
        verbose_name_plural = "decision settings"
        ordering = ["phone", "created_at"]
        constraints = [
            TenantRLS(tenant_may="SELECT, INSERT"),
            TenantKeyConstraint(),
            ApiRights("SELECT, INSERT (phone_id, version, settings)"),
            models.UniqueConstraint(
                fields=["phone", "version"], name="decision_settings_phone_id_version_key"
            ),
            is_object("decision_settings", "settings"),
        ]

    def __str__(self) -> str:
        return self.version
