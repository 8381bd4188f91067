"""What the API remembers of requests."""

from django.db import models

from database.columns import NOW
from database.exact_json import ExactJSONField
from tenancy.constraints import ApiRights
from tenancy.models import TenantForeignKey, TenantModel


class IdempotencyKey(TenantModel):
    """The first answer to a key; it is committed together with what the request did."""

    id = models.BigAutoField(primary_key=True)
    phone = TenantForeignKey(related_name="idempotency_keys")
    key = models.TextField(db_collation="C")
    request_hash = models.TextField()
    status = models.SmallIntegerField(null=True)
    answer = ExactJSONField(null=True)
    created_at = models.DateTimeField(db_default=NOW)

    class Meta(TenantModel.Meta):
        db_table = "idempotency_keys"
        constraints = [
            *TenantModel.Meta.constraints,
            ApiRights("SELECT, INSERT, UPDATE (status, answer)"),
            models.UniqueConstraint(fields=["phone", "key"], name="idempotency_keys_phone_id_key"),
        ]
        indexes = [
            # Forgetting old keys.
            models.Index(fields=["created_at"], name="idx_idempotency_created"),
        ]

    def __str__(self) -> str:
        return self.key
