"""How failed jobs are retried."""

from procrastinate import RetryStrategy

# Three more attempts, 6, 36 and 216 seconds apart; then the job shows as failed in the admin.
RETRY = RetryStrategy(max_attempts=4, exponential_wait=6)
