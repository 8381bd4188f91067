"""The admin, with a plain page for each tenant model that has no page of its own."""

from django.contrib import admin
from django.urls import include, path

from tenants.line_switcher import switch_line
from tests.isolation.rows import tenant_models

site = admin.site.__class__(name="admin")
for model, model_admin in admin.site._registry.items():
    site.register(model, type(model_admin))
for model in tenant_models():
    if not site.is_registered(model) and len(model._meta.pk_fields) == 1:
        site.register(model, type(f"{model.__name__}Admin", (admin.ModelAdmin,), {}))

urlpatterns = [
    path("admin/line/", site.admin_view(switch_line), name="switch_line"),
    path("admin/", site.urls),
    path("", include("replytics.urls.all")),
]
