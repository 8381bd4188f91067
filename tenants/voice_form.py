"""The form of a line's voice: the installation's voices, and the stored one if it is another."""

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminSelectWidget

from tenants.models import VoiceSettings


class VoiceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = VoiceSettings
        fields = ["voice_name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "voice_name" not in self.fields:  # of users who may only view
            return
        stored = self.instance.voice_name
        choices = [(name, name) for name in settings.VOICE_NAMES]
        if stored not in settings.VOICE_NAMES:
            choices.append((stored, f"{stored} (no longer offered)"))
        self.fields["voice_name"] = forms.ChoiceField(
            choices=choices, widget=UnfoldAdminSelectWidget
        )
