"""System checks of the monitor's settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_thresholds(**_: Any) -> list[CheckMessage]:
    """Thresholds that could not work.

    monitoring.E001: of a metric that does not exist. monitoring.E002: a value would be critical
    before it is worth a warning.
    """
    from monitoring.metrics import METRICS

    metrics = {metric.name: metric for metric in METRICS}
    found: list[CheckMessage] = []
    for name, (warning, critical) in settings.MONITORING_THRESHOLDS.items():
        if name not in metrics:
            found.append(
                Error(
                    f"MONITORING_THRESHOLDS names {name}, which is not a metric.",
                    hint=f"The metrics are: {', '.join(sorted(metrics))}.",
                    id="monitoring.E001",
                )
            )
        elif warning is not None and critical is not None:
            milder, worse = sorted((warning, critical), reverse=metrics[name].lower_is_worse)
            if (warning, critical) != (milder, worse):
                found.append(
                    Error(
                        f"MONITORING_THRESHOLDS: {name} is critical before its warning.",
                        hint=f"Write {name}={milder:g}/{worse:g}: first the warning.",
                        id="monitoring.E002",
                    )
                )
    return found
