"""WHO: the lines and how each of them answers."""

from django.apps import AppConfig
from django.db.models.signals import pre_save


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Lines"

    def ready(self) -> None:
        from tenants.validated import ValidatedModel, clean_before_save

        for model in self.get_models():
            if issubclass(model, ValidatedModel):
                pre_save.connect(clean_before_save, sender=model)
