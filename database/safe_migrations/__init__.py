"""Migrations beside traffic: lint, plan, and migrate with lock timeouts and retries."""
