"""What to do now, in one request at the start of a call, and again when more is known."""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from api.documentation import IF_NONE_MATCH, UNCHANGED, documented
from api.errors import Conflict
from api.permissions import KeyScope
from api.preconditions import answer_if_changed
from api.rendering import to_json
from api.serializer_fields import InstantField, MomentField, StrictSerializer
from api.views import LineView
from calls.api.ingest import CALL_SID, LEG
from calls.api.serializers import ARCHIVED
from calls.decisions import MAX_DECISIONS
from calls.intake.pipeline import Archived, IsLeg
from decisions.answer import as_document
from decisions.api.answers import DecisionAnswerSerializer
from decisions.api.examples import ANSWERED, ASKED
from decisions.api.facts import CallerField, CallFactsSerializer
from decisions.api.refusals import refuse_unreadable_rules
from decisions.decision import decide
from decisions.first_calls import is_first_call
from decisions.instructions import greeting_of, voice_of, with_actions
from decisions.recording import TooManyDecisions, record
from decisions.situation import Facts
from decisions.stored_settings import StoredSettings, settings_of

TOO_MANY = (
    f"{MAX_DECISIONS} decisions are kept for this call_sid, which is the most. Leave it out."
)
NEEDS_INGEST = "A decision is kept for a call_sid by a key with the scope ingest. Leave it out."


class DecideSerializer(StrictSerializer):
    at = InstantField(required=False, help_text="The moment to decide about; default: now.")
    caller = CallerField(help_text="The same as in facts.")
    call_sid = serializers.RegexField(
        f"^{CALL_SID.pattern}$",
        required=False,
        help_text="Keeps the answer for this call, which need not be known yet.",
        error_messages={"invalid": "Expected 1 to 64 letters, digits or . _ : -"},
    )
    facts = CallFactsSerializer(required=False)

    def validate_at(self, at: datetime) -> datetime:
        try:
            return at.astimezone(UTC)
        except OverflowError:
            raise serializers.ValidationError(
                "Expected a moment of the years 1 to 9999."
            ) from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        facts = attrs.get("facts", {})
        if "caller" in attrs and "caller" in facts:
            raise serializers.ValidationError({"caller": "Give the caller here or in facts."})
        given = {"caller": attrs["caller"]} if "caller" in attrs else {}
        known = {
            name: fact for name, fact in facts.items() if fact is not None or name == "caller"
        }
        return attrs | {"facts": dict(sorted({**known, **given}.items()))}


class Decide(LineView):
    """Is the line open, which rules win, and why; with the voice and the greeting.

    With `call_sid` the answer is kept for that call, once for the same `at`, facts and settings.
    Ask again as more is known: each answer is added to the call's decisions. `first_time_caller`
    is looked up in the line's calls where the caller is known and it is not given. A request
    may be repeated; it needs no Idempotency-Key.

    The ETag begins with settings_version and changes with anything in the answer but `at`.
    `If-None-Match` is answered by 304 as for a GET, and the decision is kept all the same.
    """

    scopes = {"POST": (KeyScope.READ, KeyScope.INGEST)}
    largest_body = 300_000

    @documented(
        {200: DecisionAnswerSerializer, 304: UNCHANGED},
        request=DecideSerializer,
        refusals=[409],
        parameters=[IF_NONE_MATCH],
        examples=[ASKED, ANSWERED],
    )
    def post(self, request: Request) -> Response:
        question = DecideSerializer(data=request.data)
        question.is_valid(raise_exception=True)
        at: datetime = question.validated_data.get("at") or timezone.now()
        call_sid: str | None = question.validated_data.get("call_sid")
        facts: dict[str, Any] = question.validated_data["facts"]
        client: Any = request.auth
        if call_sid and KeyScope.INGEST not in client.scopes:
            raise PermissionDenied(NEEDS_INGEST)

        found = settings_of(client.phone_id)
        assert found is not None  # the credentials go with their line
        stored = _read(found.text)
        derived = _derived(facts, at=at, call_sid=call_sid)
        facts = dict(sorted({**facts, **derived}.items()))
        with refuse_unreadable_rules(stored.document):
            decided = as_document(decide(stored.line_settings, at=at, facts=facts))
        decided["decisions"] = with_actions(decided["decisions"], stored.document)
        decided["derived"] = list(derived)
        if call_sid:
            _keep(call_sid, at=at, facts=facts, settings=stored, answer=decided)
        voice = voice_of(stored.document)
        answer = {
            **decided,
            "facts": facts,
            "settings_version": stored.version,
            "voice_settings": voice,
            "greeting": greeting_of(decided["decisions"], voice),
        }
        digest = hashlib.sha256(to_json(answer)).hexdigest()[:16]
        return answer_if_changed(
            request,
            {"at": MomentField().to_representation(at), **answer},
            etag=f'"{stored.version}-{digest}"',
        )


# By the settings themselves, so that none is out of date; to read 20 rules takes as long as to
# decide by them three times.
@lru_cache(maxsize=200)
def _read(text: str) -> StoredSettings:
    return StoredSettings(text)


def _derived(facts: Facts, *, at: datetime, call_sid: str | None) -> dict[str, bool]:
    """What the line's calls tell, of what the program did not."""
    caller = facts.get("caller")
    if caller is None or "first_time_caller" in facts:
        return {}
    is_first = is_first_call(str(caller), at=at, call_sid=call_sid)
    return {} if is_first is None else {"first_time_caller": is_first}


def _keep(call_sid: str, **decision: Any) -> None:
    try:
        record(call_sid=call_sid, **decision)
    except IsLeg:
        raise Conflict(LEG) from None
    except Archived:
        raise Conflict(ARCHIVED) from None
    except TooManyDecisions:
        raise Conflict(TOO_MANY) from None
