"""Generated lines and calls for demos, load tests and development."""
