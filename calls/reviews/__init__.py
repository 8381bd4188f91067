"""Calls that people look at because the AI was not sure of them."""
