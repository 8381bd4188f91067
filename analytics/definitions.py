"""What each number of the statistics means, once: for the admin's pages and the API document.

analytics.counting is the same in SQL; calls.duration has the rules of a single call.
"""

DEFINITIONS = {
    "total_calls": "Calls that began in the period, live and archived, in progress or ended.",
    "answered_calls": "Calls that were answered, whether or not they have ended.",
    "successful_calls": "Calls that were completed. Not counted: those ended by us because no"
    " more events came (provider_status timed-out), since nobody knows how they ended.",
    "live_calls": "Calls in progress: ringing, or answered and not ended.",
    "measured_calls": "Calls whose length is known: all but those in progress and those ended by"
    " us (timed-out). A call that nobody answered lasted 0 seconds.",
    "total_duration": "The sum of the known lengths, in seconds.",
    "average_duration": "Seconds: total_duration / measured_calls; none where no length is known.",
    "unique_callers": "Distinct callers; withheld and unknown ones are none.",
    "success_rate": "Percent: successful_calls / total_calls.",
}


def definitions_of(**labels: str) -> dict[str, str]:
    """The definitions of some numbers under the labels that a page gives them."""
    return {label: DEFINITIONS[name] for name, label in labels.items()}
