"""On a call's page: what was decided, and why; and the same with today's settings."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse

from calls.admin.calls import CallAdmin, CallArchiveAdmin
from calls.decisions import CallDecision, decisions_of
from calls.models import Call, CallArchive
from decisions.admin import rights
from decisions.answer import as_document
from decisions.comparison import Comparison, PastCall
from decisions.conditions import facts_in
from decisions.decision import decide
from decisions.explanation import Explanation, difference_in_words, explain, known_in_words
from decisions.models import DecisionSettings
from decisions.past_facts import past_call
from decisions.stored_settings import StoredSettings, settings_of
from decisions.unreadable_rules import unreadable_rules
from tenancy import tenant


class WhyMixin:
    """The page of a live or archived call, with its decisions."""

    change_form_template: Any = "decisions/call_page.html"

    def get_urls(self) -> Any:
        again = path(
            "<path:object_id>/decide-again/",
            self.admin_site.admin_view(self.decide_again),  # type: ignore[attr-defined]
            name=f"calls_{self.opts.model_name}_decide_again",  # type: ignore[attr-defined]
        )
        return [again, *super().get_urls()]  # type: ignore[misc]

    def around_form(self, row: Any, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().around_form(row, request)  # type: ignore[misc]
        if request.user.has_perms(rights.DECISIONS):
            name = f"admin:calls_{self.opts.model_name}_decide_again"  # type: ignore[attr-defined]
            context["decided"] = stored_decisions(row)
            context["decide_again"] = reverse(name, args=[quote(row.pk)])
        return context

    def decide_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Then and now, side by side; it stores nothing."""
        call = self.viewable_row(  # type: ignore[attr-defined]
            request, object_id, rights=rights.DECISIONS
        )
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": "Decide again",
            "opts": self.opts,  # type: ignore[attr-defined]
            "original": call,
            "call": call,
            "again": decided_again(call),
        }
        return TemplateResponse(request, "decisions/decide_again.html", context)


class ExplainedDecision:
    """A stored decision in words; `explanation` is None where its settings were not kept."""

    def __init__(self, decision: CallDecision, settings: dict[str, Any] | None) -> None:
        self.decision = decision
        self.settings = settings
        self.known = known_in_words(decision.facts)
        self.explanation: Explanation | None = None
        if settings is not None:
            self.explanation = explain(
                decision.answer, settings, at=decision.at, facts=decision.facts
            )


def stored_decisions(call: Any) -> list[ExplainedDecision]:
    """The last one first."""
    made = decisions_of(call)[::-1]
    with tenant(call.phone_id):
        kept = DecisionSettings.objects.filter(
            phone=call.phone_id, version__in={each.settings_version for each in made}
        )
        settings = dict(kept.values_list("version", "settings"))
    return [ExplainedDecision(each, settings.get(each.settings_version)) for each in made]


def decided_again(call: Any) -> dict[str, Any]:
    """The context of decisions/decide_again.html.

    From the facts of the last decision; without one, from what the call itself tells.
    """
    with tenant(call.phone_id):
        today = settings_of(call.phone_id)
        assert today is not None, "a call has a line"
        faulty = unreadable_rules(today.document)
        if faulty:
            return {"faulty": faulty}
        last = next(iter(stored_decisions(call)), None)
        past = _as_it_was(call, last, today)
    answer = decide(today.line_settings, at=past.moment, facts=past.facts)
    again: dict[str, Any] = {
        "then": last,
        "known": known_in_words(past.facts),
        "now": explain(as_document(answer), today.document, at=past.moment, facts=past.facts),
    }
    if last and last.settings:
        found = Comparison(last.settings, today.document).differences(past)
        again["differences"] = [difference_in_words(each) for each in found]
        again["is_unchanged"] = last.decision.settings_version == today.version
    return again


def _as_it_was(call: Any, last: ExplainedDecision | None, today: StoredSettings) -> PastCall:
    if last is not None:
        return PastCall(call.pk, call.created_at, last.decision.at, last.decision.facts)
    rules = today.document["conversation_rules"]
    wanted = {fact for rule in rules for fact in facts_in(rule["conditions"])}
    return past_call(call, facts=wanted)


class WhyCallAdmin(WhyMixin, CallAdmin):
    """CallAdmin, with why."""


class WhyCallArchiveAdmin(WhyMixin, CallArchiveAdmin):
    """CallArchiveAdmin, with why."""


admin.site.unregister([Call, CallArchive])
admin.site.register(Call, WhyCallAdmin)
admin.site.register(CallArchive, WhyCallArchiveAdmin)
