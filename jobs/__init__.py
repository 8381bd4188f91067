"""The worker: its jobs, their schedule, failures and retries."""
