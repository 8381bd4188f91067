"""The business hours of a line as one grid of seven days."""

import datetime
from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet

from tenants.models import BusinessHours, Weekday

# From Monday; 0 is Sunday.
WEEK = (1, 2, 3, 4, 5, 6, 0)


class DayForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row: its day is fixed, and a closed day needs no times."""

    class Meta:
        model = BusinessHours
        fields = ["day_of_week", "open_time", "close_time", "is_closed", "timezone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day_of_week"].disabled = True
        for name in ("open_time", "close_time"):
            self.fields[name].required = False
        day = self.initial.get("day_of_week")
        if day is not None:
            for field in self.fields.values():
                label = f"{Weekday(day).label}: {field.label}"
                field.widget.attrs = {**field.widget.attrs, "aria-label": label}

    def has_changed(self) -> bool:
        """For a day without hours, a time zone alone does not count as a change."""
        given = {"open_time", "close_time", "is_closed"} & set(self.changed_data)
        return bool(given or (self.changed_data and not self.instance._state.adding))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name in ("open_time", "close_time"):
            if data.get(name) is None and name not in self.errors:
                if data.get("is_closed"):
                    data[name] = datetime.time.min
                else:
                    self.add_error(name, "Enter a time or mark the day as closed.")
        return data


class WeekFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The days that have hours, then those that have none yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {hours.day_of_week for hours in self.get_queryset()} if self.instance.pk else set()
        missing = [day for day in WEEK if day not in known]
        timezone = self.instance.timezone
        self.initial_extra = [{"day_of_week": day, "timezone": timezone} for day in missing]
