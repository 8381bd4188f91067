"""The HTTP API toolkit shared by all endpoints."""
