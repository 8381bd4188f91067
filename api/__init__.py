"""The HTTP API toolkit: what every endpoint shares."""
