"""Kleene's strong logic of three values."""

from collections.abc import Collection
from typing import Literal

Truth = Literal["true", "false", "unknown"]


def all_of(truths: Collection[Truth]) -> Truth:
    if "false" in truths:
        return "false"
    return "unknown" if "unknown" in truths else "true"


def any_of(truths: Collection[Truth]) -> Truth:
    if "true" in truths:
        return "true"
    return "unknown" if "unknown" in truths else "false"


def negation(truth: Truth) -> Truth:
    if truth == "unknown":
        return "unknown"
    return "true" if truth == "false" else "false"
