"""Reviews of calls with low AI confidence."""
