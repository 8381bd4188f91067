"""Admin of lines and what belongs to them."""

from tenants import credentials_admin as credentials_admin
