"""The page of a line that shows what would be decided about a call; it stores nothing.

The form is posted: a caller's number and words must not get into addresses, which are logged.
"""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from backoffice.modeladmin import BackofficeAdmin
from decisions.admin import rights
from decisions.answer import as_document
from decisions.decision import decide
from decisions.explanation import Explanation, explain
from decisions.situation import Facts
from decisions.stored_settings import settings_of
from decisions.unreadable_rules import unreadable_rules
from tenancy import tenant
from tenants.models import PhoneNumber
from tenants.numbers import to_e164
from tenants.rules import definitions

NOT_KNOWN = ("", "not known")
MAX_WORDS = 20_000  # characters
LOCAL = "%Y-%m-%dT%H:%M"  # as a browser writes datetime-local


def _one_of(condition: str) -> list[tuple[str, str]]:
    """The values that the schema of rules has for a condition."""
    values = definitions()["conditions"]["properties"][condition]["enum"]
    return [NOT_KNOWN, *((value, value) for value in values)]


class YesNoField(forms.TypedChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=[NOT_KNOWN, ("yes", "yes"), ("no", "no")],
            coerce=lambda word: word == "yes",
            empty_value=None,
            required=False,
            **options,
        )


class CallForm(forms.Form):
    """A call that never was. What is left empty is not known."""

    at = forms.DateTimeField(
        label="When",
        input_formats=[LOCAL, f"{LOCAL}:%S"],
        widget=forms.DateTimeInput({"type": "datetime-local"}, LOCAL),
    )
    caller = forms.CharField(
        label="Caller's number",
        max_length=100,
        required=False,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
    )
    is_withheld = forms.BooleanField(label="The number is withheld", required=False)
    first_time_caller = YesNoField(label="New caller")
    asks_for_person = YesNoField(label="Asks for a person")
    urgency = forms.ChoiceField(label="Urgency", required=False)
    sentiment = forms.ChoiceField(label="Sentiment", required=False)
    intent = forms.CharField(label="Intent", max_length=100, required=False)
    language = forms.CharField(
        label="Language",
        max_length=35,
        required=False,
        widget=forms.TextInput({"placeholder": "en-US", "autocomplete": "off"}),
    )
    words = forms.CharField(
        label="What the caller says",
        max_length=MAX_WORDS,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, line: PhoneNumber, data: Any = None) -> None:
        now = f"{timezone.localtime():{LOCAL}}"
        super().__init__(data, initial={"at": now})
        self.line = line
        for name in ("urgency", "sentiment"):
            self.fields[name].choices = _one_of(name)  # type: ignore[attr-defined]

    def clean_caller(self) -> str | None:
        text: str = self.cleaned_data["caller"]
        number = to_e164(text, self.line.region) if text else None
        if text and number is None:
            raise forms.ValidationError("This is not a number. Write one like +14155550123.")
        return number

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("caller") and given.get("is_withheld"):
            self.add_error("caller", "A withheld number is not known: leave one of the two out.")
        return given

    @property
    def facts(self) -> Facts:
        """Of a valid form, as a decision takes them."""
        given = dict(self.cleaned_data)
        del given["at"]
        is_withheld = given.pop("is_withheld")
        given["said"] = given.pop("words")
        facts = {name: value for name, value in given.items() if value not in (None, "")}
        return facts | ({"caller": None} if is_withheld else {})


def simulator_view(
    model_admin: BackofficeAdmin, request: HttpRequest, object_id: str
) -> HttpResponse:
    """The form, and once it was sent also the decision."""
    line = model_admin.viewable_row(request, object_id, rights=rights.DECISIONS)
    explanation: Explanation | None = None
    faulty: list[dict[str, Any]] = []
    with tenant(line.pk), timezone.override(line.timezone):
        form = CallForm(line, request.POST if request.method == "POST" else None)
        if form.is_valid():
            explanation, faulty = _decide(line, form)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Try a call: {line.business_name}",
        "opts": model_admin.opts,
        "original": line,
        "line": line,
        "form": form,
        "explanation": explanation,
        "faulty": faulty,
    }
    return TemplateResponse(request, "decisions/simulator.html", context)


def _decide(line: PhoneNumber, form: CallForm) -> tuple[Explanation | None, list[dict[str, Any]]]:
    """The decision; or the rules that SQL has written and nobody can read."""
    stored = settings_of(line.pk)
    if stored is None:  # deleted just now
        raise Http404
    if faulty := unreadable_rules(stored.document):
        return None, faulty
    at, facts = form.cleaned_data["at"], form.facts
    answer = decide(stored.line_settings, at=at, facts=facts)
    return explain(as_document(answer), stored.document, at=at, facts=facts), []
