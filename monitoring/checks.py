"""System checks of the monitor's settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_thresholds(**_: Any) -> list[CheckMessage]:
    """monitoring.E001: a threshold of a metric that does not exist would change nothing."""
    from monitoring.metrics import METRICS

    names = {metric.name for metric in METRICS}
    return [
        Error(
            f"MONITORING_THRESHOLDS names {name}, which is not a metric.",
            hint=f"The metrics are: {', '.join(sorted(names))}.",
            id="monitoring.E001",
        )
        for name in settings.MONITORING_THRESHOLDS
        if name not in names
    ]
