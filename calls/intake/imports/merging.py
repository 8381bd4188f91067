"""What an existing call becomes by a row of a file: the same, whatever the order of the rows.

Each value of a file is kept with the state of the call that it came with (imported_states). A
later state replaces it; of two values of one state the longer one stays, then the greater one. No
file replaces what no file gave, nor what is known of a call under legal hold. A caller of a call
that has ended is not kept: no later state can come.
"""

from typing import NamedTuple

from calls.models import DEFAULT_CONFIDENCE

RANK = "app.call_progress(i.status, i.provider_status)"
# With the column's default, which a SELECT cannot refer to.
CONFIDENCE = f"coalesce(i.ai_confidence, {DEFAULT_CONFIDENCE}::numeric(3,2))"
TEXTS = ["caller_number", "recording_url", "transcript", "ai_summary"]
EXTRAS = ["metadata", "tags", "custom_fields"]  # of call_metadata


class Value(NamedTuple):
    """What a row gives for a column and what the call has, both as text, in SQL."""

    given: str
    known: str
    is_missing: str  # whether the call lacks it
    is_kept: str = "true"


VALUES = {
    # A number over a withheld caller, and that over an unknown one.
    "caller_number": Value(
        "CASE WHEN i.caller_number = 'anonymous' AND c.caller_number <> 'unknown' THEN NULL"
        " ELSE nullif(i.caller_number, 'unknown') END",
        "c.caller_number",
        "(c.caller_number = 'unknown' OR c.caller_number = 'anonymous' AND NOT c.legal_hold)",
        is_kept="i.status NOT IN ('completed', 'failed')",
    ),
    # Another address than the provider's, whose recordings app.keep_call_recording() chooses from.
    "recording_url": Value(
        "CASE WHEN app.recording_sid_of(i.recording_url) IS NULL THEN i.recording_url END",
        "c.recording_url",
        "(c.recording_url IS NULL"
        " OR app.recording_sid_of(c.recording_url) IS NOT NULL AND NOT c.legal_hold)",
    ),
    "transcript": Value("i.transcript", "c.transcript", "c.transcript IS NULL"),
    # The confidence belongs to its summary.
    "ai_summary": Value(
        f"i.ai_summary || E'\\n' || {CONFIDENCE}",
        "c.ai_summary || E'\\n' || c.ai_confidence",
        "c.ai_summary IS NULL",
    ),
    **{
        name: Value(
            f"nullif(i.{name}::text, '{{}}')",
            f"d.{name}::text",
            f"(d.call_id IS NULL OR d.{name} = '{{}}' AND NOT c.legal_hold)",
        )
        for name in EXTRAS
    },
}


def _order(rank: str, text: str) -> str:
    return f'({rank}, length({text}), ({text}) COLLATE "C")'


def _is_of_a_file(name: str) -> str:
    return f"s.states->'{name}'->>1 = md5({VALUES[name].known})"


def _takes(name: str) -> str:
    """Whether the row's value becomes the call's."""
    value = VALUES[name]
    known_rank = f"(s.states->'{name}'->>0)::integer"
    later = f"{_order(RANK, value.given)} > {_order(known_rank, value.known)}"
    return (
        f"coalesce({value.given} IS NOT NULL AND ({value.is_missing}"
        f" OR NOT c.legal_hold AND {_is_of_a_file(name)} AND {later}), false)"
    )


def _state(name: str) -> str:
    """The state of the row's value; NULL where none is kept."""
    value = VALUES[name]
    return (
        f"CASE WHEN {value.is_kept} AND {value.given} IS NOT NULL"
        f" THEN jsonb_build_array({RANK}, md5({value.given})) END"
    )


def _next_state(name: str) -> str:
    """The state of the call's value after the row."""
    value = VALUES[name]
    is_same = f"{value.given} = {value.known} AND {_is_of_a_file(name)}"
    return (
        f"CASE WHEN t.{name} OR {is_same} AND {RANK} > (s.states->'{name}'->>0)::integer"
        f" THEN {_state(name)} ELSE s.states->'{name}' END"
    )


def _states(states: dict[str, str]) -> str:
    pairs = ", ".join(f"'{name}', {state}" for name, state in states.items())
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"


def _merged(name: str, *, of: str = "c") -> str:
    return f"CASE WHEN t.{name} THEN i.{name} ELSE {of}.{name} END"


HAS_METADATA = "(i.metadata IS NOT NULL OR i.tags IS NOT NULL OR i.custom_fields IS NOT NULL)"
# Of a call that the row made.
NEW_STATES = _states({name: _state(name) for name in VALUES})
MERGED = f"""
merged AS MATERIALIZED (
    SELECT new.*,
        (c.status, c.provider_status, c.caller_number, c.duration, c.recording_url, c.transcript,
            c.ai_summary, c.ai_confidence, c.created_at)
        IS DISTINCT FROM (new.status, new.provider_status, new.caller_number, new.duration,
            new.recording_url, new.transcript, new.ai_summary, new.ai_confidence, new.created_at)
            AS is_other_call,
        {HAS_METADATA} AND (d.call_id IS NULL OR (d.metadata, d.tags, d.custom_fields)
            IS DISTINCT FROM (new.metadata, new.tags, new.custom_fields)) AS is_other_metadata
    FROM incoming_calls i JOIN calls c USING (call_sid, phone_id)
    LEFT JOIN call_metadata d ON d.call_id = c.id
    LEFT JOIN imported_states s ON s.call_id = c.id
    CROSS JOIN LATERAL (
        SELECT {RANK} > app.call_progress(c.status, c.provider_status)
            -- A time-out that we set does not replace another one.
            AND (c.provider_status, i.provider_status)
                IS DISTINCT FROM ('timed-out', 'timed-out') AS is_later,
            c.status = i.status AS is_same
    ) f
    CROSS JOIN LATERAL (
        SELECT {", ".join(f"{_takes(name)} AS {name}" for name in VALUES)}
    ) t
    CROSS JOIN LATERAL (
        SELECT c.id, c.phone_id, i.row,
            CASE WHEN f.is_later THEN i.status ELSE c.status END AS status,
            CASE WHEN f.is_later THEN i.provider_status
                WHEN f.is_same THEN coalesce(c.provider_status, i.provider_status)
                ELSE c.provider_status END AS provider_status,
            CASE WHEN f.is_later AND i.duration > 0 THEN i.duration
                WHEN f.is_same THEN greatest(c.duration, i.duration)
                ELSE c.duration END AS duration,
            least(c.created_at, i.created_at) AS created_at,
            {", ".join(f"{_merged(name)} AS {name}" for name in TEXTS)},
            CASE WHEN NOT t.ai_summary THEN c.ai_confidence
                WHEN c.ai_summary IS NULL THEN coalesce(i.ai_confidence, c.ai_confidence)
                ELSE {CONFIDENCE} END AS ai_confidence,
            {", ".join(f"coalesce({_merged(name, of='d')}, '{{}}') AS {name}" for name in EXTRAS)},
            {_states({name: _next_state(name) for name in VALUES})} AS states
    ) new
)
"""
