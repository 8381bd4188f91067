"""How calls ended, and who ended them, in the owner's words.

An outcome is never stored: app.call_outcome() derives it from the status, the provider's word, the
length, the legs and two facts that the AI pipeline writes to the call's metadata. A live call and
an archived one have these in different places, which stand here alone.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, QuerySet
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

from calls.legs import RESULTS
from calls.models import TIMED_OUT

SHORT = 10  # seconds; app.call_outcome() has it too


class CallOutcome(models.TextChoices):
    """What app.call_outcome() returns; of what it finds, the first in its order."""

    IN_PROGRESS = "in_progress", "In progress"
    ANSWERED_BY_AI = "answered_by_ai", "Answered by AI"
    TRANSFERRED_ANSWERED = "transferred_answered", "Transferred and answered"
    TRANSFERRED_NOT_ANSWERED = "transferred_not_answered", "Transferred, not answered"
    MESSAGE_TAKEN = "message_taken", "Message taken"
    HUNG_UP_BEFORE_ANSWER = "hung_up_before_answer", "Hung up before answer"
    HUNG_UP_WITHIN_10_S = "hung_up_within_10_s", "Hung up within 10 s"
    BUSY = "busy"
    FAILED_AT_PROVIDER = "failed_at_provider", "Failed at the provider"
    ENDED_BY_US = "ended_by_us", "Ended by us"
    NOT_KNOWN = "not_known", "Not known"


class EndedBy(models.TextChoices):
    """What app.call_ended_by() returns, and what metadata.ended_by may be."""

    CALLER = "caller"
    US = "us"
    PROVIDER = "provider"
    TRANSFER_TARGET = "transfer_target", "Person it was transferred to"


OUTCOME_HELP = (
    "How the call ended, by what is stored: the first of these that holds. in_progress: it has not"
    " ended. transferred_answered: one of its legs was answered. message_taken:"
    " metadata.message_taken is true. transferred_not_answered: it has legs, and none was"
    " answered. ended_by_us: it was closed because no more events came (provider_status"
    " timed-out). answered_by_ai: it was answered and lasted more than 10 seconds. busy,"
    " failed_at_provider: the provider's word. ended_by_us: ended_by is us. hung_up_within_10_s:"
    " it was answered. hung_up_before_answer: it was not (no-answer, canceled). not_known: nothing"
    " that is stored tells."
)
ENDED_BY_HELP = (
    "Who ended the call: metadata.ended_by where the AI pipeline wrote it; else us where it was"
    " closed because no more events came, provider where it failed there, and caller where it was"
    " canceled (us, if metadata.direction is outbound). Null where nobody reported it."
)
FACTS_HELP = (
    "The outcome of the call reads two keys: message_taken, true where the caller left a message;"
    " and ended_by, who ended the call: caller, us, provider or transfer_target."
)

# For an outcome, who ended it and the provider's word, where these make a difference: the first.
SENTENCES: list[tuple[CallOutcome, str | None, str | None, str]] = [
    (CallOutcome.IN_PROGRESS, None, None, "The call is still going on."),
    (CallOutcome.ANSWERED_BY_AI, None, None, "The AI answered the call."),
    (CallOutcome.TRANSFERRED_ANSWERED, None, None, "The call was transferred and answered."),
    (
        CallOutcome.TRANSFERRED_NOT_ANSWERED,
        None,
        None,
        "The call was transferred, but nobody answered.",
    ),
    (CallOutcome.MESSAGE_TAKEN, None, None, "A message was taken."),
    (
        CallOutcome.HUNG_UP_BEFORE_ANSWER,
        EndedBy.CALLER,
        None,
        "The caller hung up before anybody answered.",
    ),
    (CallOutcome.HUNG_UP_BEFORE_ANSWER, None, None, "The call ended before anybody answered."),
    (
        CallOutcome.HUNG_UP_WITHIN_10_S,
        EndedBy.CALLER,
        None,
        "The caller hung up within 10 seconds.",
    ),
    (CallOutcome.HUNG_UP_WITHIN_10_S, None, None, "The call ended within 10 seconds."),
    (CallOutcome.BUSY, None, None, "The line was busy."),
    (
        CallOutcome.FAILED_AT_PROVIDER,
        None,
        None,
        "The telephony provider could not connect the call.",
    ),
    (
        CallOutcome.ENDED_BY_US,
        None,
        TIMED_OUT,
        "No end of the call was reported, so we closed it.",
    ),
    (CallOutcome.ENDED_BY_US, None, None, "We ended the call."),
    (CallOutcome.NOT_KNOWN, None, None, "It is not known how the call ended."),
]

# As the partial indexes of call_metadata have them.
MESSAGE_TAKEN = '{"message_taken": true}'
ENDED_BY_US = '{"ended_by": "us"}'

# The facts of a row c that are not its own columns: metadata and leg_words.
FACTS = {
    "calls": """(SELECT
        (SELECT m.metadata FROM call_metadata AS m WHERE m.call_id = {call}.id) AS metadata,
        ARRAY(SELECT l.status FROM call_legs AS l
            WHERE (l.phone_id, l.call_sid) = ({call}.phone_id, {call}.call_sid)) AS leg_words)""",
    "calls_archive": """(SELECT {call}.metadata AS metadata,
        ARRAY(SELECT l->>'status' FROM jsonb_array_elements({call}.legs) AS l) AS leg_words)""",
}
OUTCOME = (
    "app.call_outcome({call}.status, {call}.provider_status, {call}.duration, {facts}.metadata,"
    " {facts}.leg_words)"
)
ENDED_BY = "app.call_ended_by({call}.provider_status, {facts}.metadata)"


@cache
def _conditions(call: str) -> dict[str, tuple[str, ...]]:
    """What live calls of an outcome have in any case, found by an index or told by the row alone.

    So not each call of a line is looked at. No two conditions of an outcome hold for one call.
    """
    unanswered = f"{call}.status = 'failed' AND {call}.provider_status"
    other_word = f"{unanswered} NOT IN ('busy', 'failed', 'no-answer', 'canceled') IS NOT FALSE"
    timed_out = f"{call}.provider_status = '{TIMED_OUT}'"

    def has_leg(status: str) -> str:
        return f"""EXISTS (SELECT FROM call_legs AS l
            WHERE (l.phone_id, l.call_sid) = ({call}.phone_id, {call}.call_sid)
            AND l.status {status})"""

    def has_fact(fact: str) -> str:
        return f"""EXISTS (SELECT FROM call_metadata AS m WHERE m.call_id = {call}.id
            AND m.phone_id = {call}.phone_id AND m.metadata @> '{fact}')"""

    other_leg = has_leg(f"NOT IN ({_words(*RESULTS.values())})")
    return {
        CallOutcome.IN_PROGRESS: (f"{call}.status IN ('ringing', 'answered')",),
        CallOutcome.ANSWERED_BY_AI: (
            f"{call}.status = 'completed' AND {call}.duration > {SHORT}",
        ),
        CallOutcome.TRANSFERRED_ANSWERED: (has_leg(f"IN ({_words('answered')})"),),
        CallOutcome.TRANSFERRED_NOT_ANSWERED: (
            has_leg(f"IN ({_words(*set(RESULTS.values()) - {'answered'})})"),
        ),
        CallOutcome.MESSAGE_TAKEN: (has_fact(MESSAGE_TAKEN),),
        CallOutcome.HUNG_UP_BEFORE_ANSWER: (
            f"{unanswered} = 'no-answer'",
            f"{unanswered} = 'canceled'",
        ),
        CallOutcome.HUNG_UP_WITHIN_10_S: (
            f"{call}.status = 'completed' AND {call}.duration <= {SHORT}",
        ),
        CallOutcome.BUSY: (f"{unanswered} = 'busy'",),
        CallOutcome.FAILED_AT_PROVIDER: (f"{unanswered} = 'failed'",),
        CallOutcome.ENDED_BY_US: (
            timed_out,
            f"({timed_out}) IS NOT TRUE AND {has_fact(ENDED_BY_US)}",
            f"{unanswered} = 'canceled' AND NOT {has_fact(ENDED_BY_US)}",
        ),
        CallOutcome.NOT_KNOWN: (other_word, f"({other_word}) IS NOT TRUE AND {other_leg}"),
    }


def _words(*results: str) -> str:
    """The provider's words for these results of a leg."""
    return ", ".join(f"'{word}'" for word, result in RESULTS.items() if result in results)


def narrowed(outcome: str, table: str, call: str) -> tuple[str, ...]:
    """Conditions on the row `call`: a call of the outcome meets one of them, none meets two.

    An archived call is its own row, so that nothing is gained there.
    """
    return ("true",) if table == "calls_archive" else _conditions(call)[outcome]


def facts_sql(table: str, call: str) -> str:
    """A subquery of one row, for a LATERAL join to the row `call` of calls or calls_archive."""
    return FACTS[table].format(call=call)


def sentence_sql(outcome: str, ended_by: str, word: str) -> str:
    """sentence_of(); the arguments are expressions."""
    cases = []
    for value, who, of_word, sentence in SENTENCES:
        conditions = [f"{outcome} = '{value}'"]
        conditions += [f"{ended_by} = '{who}'"] if who else []
        conditions += [f"{word} = '{of_word}'"] if of_word else []
        cases.append(f"WHEN {' AND '.join(conditions)} THEN '{sentence}'")
    return f"CASE {' '.join(cases)} END"


def sentence_of(outcome: str, *, ended_by: str | None, provider_status: str | None) -> str:
    """What the owner of the line reads, such as: The caller hung up within 10 seconds."""
    return next(
        sentence
        for value, who, word, sentence in SENTENCES
        if (value, who or ended_by, word or provider_status)
        == (outcome, ended_by, provider_status)
    )


class _OfCall(Expression):
    """An expression on the row of a call, live or archived."""

    def __init__(self, text: str, output: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=output)
        self.text = text
        self.column: Any = F("id")

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, expressions: Any) -> None:
        [self.column] = expressions

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        call = compiler.quote_name_unless_alias(self.column.alias)
        return self.on_row(self.column.target.model._meta.db_table, call), ()

    def on_row(self, table: str, call: str) -> str:
        value = self.text.format(call=call, facts="facts")
        return f"(SELECT {value} FROM {facts_sql(table, call)} AS facts)"


class _Ended(_OfCall):
    """The condition that a call has this outcome."""

    conditional = True

    def __init__(self, outcome: str) -> None:
        super().__init__(OUTCOME, models.BooleanField())
        self.outcome = outcome

    def on_row(self, table: str, call: str) -> str:
        any_of = " OR ".join(f"({one})" for one in narrowed(self.outcome, table, call))
        return f"(({any_of}) AND {super().on_row(table, call)} = '{self.outcome}')"


def with_outcomes(calls: QuerySet[Any]) -> QuerySet[Any]:
    """Live or archived calls with `outcome` and `ended_by`, which sentence_of() reads."""
    annotated: QuerySet[Any] = calls.annotate(
        outcome=_OfCall(OUTCOME, models.TextField()),
        ended_by=_OfCall(ENDED_BY, models.TextField(null=True)),
    )
    return annotated


def that_ended(calls: QuerySet[Any], outcome: CallOutcome) -> QuerySet[Any]:
    ended: QuerySet[Any] = calls.filter(_Ended(outcome))
    return ended


@dataclass(frozen=True)
class Ending:
    """How one call ended, as pages show it."""

    outcome: CallOutcome
    ended_by: EndedBy | None
    sentence: str


def ending_of(call: Any) -> Ending:
    """Of a live or archived call that with_outcomes() read."""
    sentence = sentence_of(
        call.outcome, ended_by=call.ended_by, provider_status=call.provider_status
    )
    who = EndedBy(call.ended_by) if call.ended_by else None
    return Ending(CallOutcome(call.outcome), who, sentence)
