"""The form of one row of business hours, in the list over all lines."""

from typing import Any

from django import forms

from tenants.day_fields import CONFIRM
from tenants.models import BusinessHours


class HoursRowForm(forms.ModelForm):  # type: ignore[type-arg]
    all_day = forms.BooleanField(
        required=False, label="Open 24 hours?", help_text="Tick where equal times mean 24 hours."
    )

    class Meta:
        model = BusinessHours
        fields = ["open_time", "close_time"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        is_confirmed = row.open_time == row.close_time and not row.is_closed
        self.initial.setdefault("all_day", row.open_time is not None and is_confirmed)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        opens, closes = data.get("open_time"), data.get("close_time")
        is_open = opens is not None and not data.get("is_closed")
        if is_open and opens == closes and not data.get("all_day"):
            self.add_error("all_day", CONFIRM)
        return data
