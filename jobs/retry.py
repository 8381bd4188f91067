"""How jobs that failed are tried again."""

from procrastinate import RetryStrategy

# Three more tries, 6, 36 and 216 seconds apart; then the job shows as failed in the admin.
RETRY = RetryStrategy(max_attempts=4, exponential_wait=6)
