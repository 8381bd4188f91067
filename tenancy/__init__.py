"""All tenancy machinery. README.md beside this file is the contract."""

from tenancy.scope import (
    NoTenantActive,
    active_scope,
    all_tenants,
    current_scope,
    no_tenant,
    tenant,
)

__all__ = ["NoTenantActive", "active_scope", "all_tenants", "current_scope", "no_tenant", "tenant"]
