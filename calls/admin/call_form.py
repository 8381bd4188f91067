"""The form of a call in the admin: what is not known of a call is empty in it."""

from typing import Any

from django import forms

from calls.confidence import confidence_of
from calls.duration import known_duration
from calls.models import LIVE, TIMED_OUT


class CallForm(forms.ModelForm):  # type: ignore[type-arg]
    """A duration that is entered is known from then on, also of a call that timed out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The column's own value, which stays where the field is left empty.
        self.unknown: dict[str, Any] = {}
        if self.instance._state.adding:
            return
        known = {
            "duration": known_duration(self.instance),
            "ai_confidence": confidence_of(self.instance),
        }
        for name, value in known.items():
            if value is None and name in self.fields:
                self.unknown[name] = getattr(self.instance, name)
                self.initial[name] = None
                self.fields[name].required = False
                self.fields[name].help_text = "Not known. Leave it empty, or enter what it was."

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        is_timed = "duration" in self.unknown and data.get("duration") is not None
        if is_timed and data.get("status") in LIVE:
            self.add_error(
                "duration", "A call in progress has no duration. Change the status too."
            )
        if is_timed and self.instance.provider_status == TIMED_OUT:
            self.instance.provider_status = None
        for name, value in self.unknown.items():
            if name in data and data[name] is None:
                data[name] = value
        return data
