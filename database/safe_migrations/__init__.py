"""Migrations that never stop traffic: how they are checked, announced and applied."""
