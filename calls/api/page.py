"""A page of calls as JSON, in one statement: PostgreSQL writes what CallSerializer would.

The statement is put together from one piece per filter, and kept per combination of filters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection

from calls.api.serializers import FIELDS
from calls.claims import PROVIDER_SID
from calls.confidence import HAS_CONFIDENCE
from calls.duration import measured_sql
from calls.legs import RESULTS
from calls.outcomes import ENDED_BY, OUTCOME, facts_sql, narrowed, sentence_sql
from calls.recordings import playable_pattern
from database.prepared import Statement
from tenancy import current_scope

MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
PLAYABLE = """c.recording_url COLLATE "C" ~* %(playable)s"""
# Columns that row_to_json() would write differently from the serializer.
EXPRESSIONS = {
    "call_sid": PROVIDER_SID,
    "created_at": MOMENT.format("c.created_at"),
    "updated_at": MOMENT.format("c.updated_at"),
    "ai_confidence": f"CASE WHEN {HAS_CONFIDENCE} THEN trim_scale(c.ai_confidence) END",
    "duration_known": measured_sql("c."),
    "outcome_sentence": sentence_sql("c.outcome", "c.ended_by", "c.provider_status"),
    "recording_url": f"CASE WHEN {PLAYABLE} THEN c.recording_url END",
}
# For a search: excerpts with the words, marked so that they cannot be mistaken for HTML. Only the
# first 50,000 characters are read.
HIGHLIGHTS = """json_build_object({}) AS highlights"""
HEADLINE = """'{0}', ts_headline('app.words', left(c.{0}, 50000),
    websearch_to_tsquery('app.words', %(words)s), 'StartSel=⟦, StopSel=⟧, MaxFragments=2')"""

# When a day begins on the line's clock. Where clocks go back over midnight there are two, of which
# PostgreSQL takes the later: the other is on the clock as it was three hours before.
MIDNIGHT = """(SELECT min(began) FROM phone_numbers AS p
    CROSS JOIN LATERAL (SELECT %({0})s::date::timestamp AS day) AS d
    CROSS JOIN LATERAL (SELECT day AT TIME ZONE p.timezone AS later) AS l
    CROSS JOIN LATERAL (SELECT later - interval '3 hours' AS earlier) AS e
    CROSS JOIN LATERAL (VALUES (later), (earlier + (day - earlier AT TIME ZONE p.timezone)))
        AS v (began)
    WHERE p.id = %(line)s AND began AT TIME ZONE p.timezone >= day)"""
# Each is a condition on the row c that an index led by phone_id narrows, or that is checked along
# idx_calls_phone_created. Nothing here may leak, or row level security keeps it from any index.
FILTERS = {
    "status": "c.status = %(status)s",
    "statuses": "c.status = ANY (%(statuses)s)",
    "created_after_day": f"c.created_at >= {MIDNIGHT.format('created_after_day')}",
    "created_before_day": f"c.created_at < {MIDNIGHT.format('created_before_day')}",
    "created_after": "c.created_at >= %(created_after)s::timestamptz",
    "created_before": "c.created_at < %(created_before)s::timestamptz",
    "caller": "c.caller_number = %(caller)s",
    "caller_prefix": "c.caller_number ^@ %(caller_prefix)s",
    "duration_min": f"c.duration >= %(duration_min)s AND {measured_sql('c.')}",
    "duration_max": f"c.duration <= %(duration_max)s AND {measured_sql('c.')}",
    "confidence_min": (
        f"c.ai_confidence >= %(confidence_min)s::float8::numeric AND {HAS_CONFIDENCE}"
    ),
    "confidence_max": (
        f"c.ai_confidence <= %(confidence_max)s::float8::numeric AND {HAS_CONFIDENCE}"
    ),
    "with_recording": PLAYABLE,
    "without_recording": f"({PLAYABLE}) IS NOT TRUE",
    "id": "c.id = %(id)s::uuid",
}
# Arguments of the functions in FOUND, which use the GIN indexes for the line.
SEARCHES = {
    "all_tags": "all_tags => %(all_tags)s::text[]",
    "any_tags": "any_tags => %(any_tags)s::text[]",
    "metadata": "metadata => %(metadata)s::jsonb",
    "custom_fields": "custom_fields => %(custom_fields)s::jsonb",
    "words": "words => %(words)s::text",
}
FOUND = {
    "calls": "c.id = ANY (ARRAY(SELECT app.top_calls({})))",
    # With the moment, which tells the month's partition.
    "calls_archive": "(c.created_at, c.id) IN (SELECT * FROM app.top_archived_calls({}))",
}
PLACES = {"exclude": ["calls"], "include": ["calls", "calls_archive"], "only": ["calls_archive"]}
ORDERS = {"-created_at": ("DESC", "<"), "created_at": ("ASC", ">")}

PAGE = """
SELECT concat('[', string_agg(row_to_json(shown)::text, ',') FILTER (WHERE n <= %(limit)s), ']'),
    count(*) > %(limit)s,
    max({moment}) FILTER (WHERE n = %(limit)s), max(c.id::text) FILTER (WHERE n = %(limit)s)
FROM (SELECT *, row_number() OVER () AS n FROM ({rows}) AS p) AS c
CROSS JOIN LATERAL (SELECT {fields}) AS shown
"""
ROWS = """SELECT {columns}, {archived} AS archived FROM {table} AS c{facts} WHERE {conditions}"""
JOINED_FACTS = " CROSS JOIN LATERAL {} AS facts"
# What call_outcome() reads of rows c; called once a row, apart from where the facts are found.
WITH_OUTCOMES = f"""SELECT *, {OUTCOME.format(call="c", facts="c")} AS outcome,
    {ENDED_BY.format(call="c", facts="c")} AS ended_by FROM ({{rows}}) AS c OFFSET 0"""
ORDERED = "({rows} ORDER BY c.created_at {way}, c.id {way} LIMIT %(limit)s + 1)"
MERGED = "SELECT * FROM ({rows}) AS c ORDER BY c.created_at {way}, c.id {way} LIMIT %(limit)s + 1"
ONE = """
SELECT row_to_json(shown)::text FROM ({rows}) AS c CROSS JOIN LATERAL (SELECT {fields}) AS shown
"""
OF_OUTCOME = OUTCOME.format(call="c", facts="facts") + " = '{}'"
# PostgreSQL's own estimates come from the rows of all lines, so a line is never shown one.
COUNT = "SELECT count(*) FROM (SELECT FROM ({rows}) AS c LIMIT %(most)s + 1) AS c"
# Up to here `total=estimate` counts. Without a condition an index alone is read, which is cheap.
MAX_COUNTED = 10_000
MAX_COUNTED_UNFILTERED = 100_000

RESULT = " ".join(f"WHEN '{status}' THEN '{result}'" for status, result in RESULTS.items())
# Of one call: its legs and recordings, from their tables or from the row in the archive.
PART_FIELDS = {
    "legs": f"""p.leg_sid, p.direction, p."to", p.status, CASE p.status {RESULT} END AS result,
        p.duration, {MOMENT.format("p.started_at")} AS started_at,
        {MOMENT.format("p.ended_at")} AS ended_at""",
    "recordings": f"""p.recording_sid,
        CASE WHEN p.url COLLATE "C" ~* %(playable)s THEN p.url END AS url,
        p.duration, p.channels, p.source, p.state, {MOMENT.format("p.started")} AS started""",
}
PART_TABLES = {
    "legs": ("call_legs", "p.started_at, p.leg_sid"),
    "recordings": ("call_recordings", "p.started, p.recording_sid"),
}
PART_ROWS = {
    "calls": """(SELECT * FROM {table} AS p
        WHERE (p.phone_id, p.call_sid) = (c.phone_id, c.call_sid)) AS p""",
    "calls_archive": "jsonb_populate_recordset(NULL::{table}, c.{name}) AS p",
}
PART = """(
    SELECT concat('[', string_agg(row_to_json(shown)::text, ',' ORDER BY {order}), ']')::json
    FROM {rows} CROSS JOIN LATERAL (SELECT {fields}) AS shown) AS {name}"""

OF_OUTCOMES = {"outcome", "outcome_sentence", "ended_by"}
# Not columns of the table.
MADE = {"archived", "duration_known", *OF_OUTCOMES}
COLUMNS = ", ".join(f"c.{name}" for name in FIELDS if name not in MADE)


@dataclass(frozen=True)
class ListQuery:
    """What a statement depends on; the values are its parameters."""

    filters: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    archived: str = "exclude"
    order: str = "-created_at"
    fields: tuple[str, ...] = tuple(FIELDS)
    after_cursor: bool = False


@dataclass(frozen=True)
class Page:
    results: bytes  # a JSON array
    has_more: bool
    last: tuple[str, str]  # created_at and id of the last one, when has_more


def read_page(query: ListQuery, values: Mapping[str, Any], *, limit: int) -> Page:
    """after_cursor: values have `at` and `after_id`, where the page before ended."""
    values = {**values, **_bound()}
    if (
        query.filters or query.searches or query.outcomes
    ):  # which index is best depends on the values
        with connection.cursor() as cursor:
            cursor.execute(page_sql(query), {"limit": limit, **values})
            [row] = cursor.fetchall()
    else:
        [row] = _page_statement(query, limit).fetch_all(values)
    results, has_more, at, last_id = row
    return Page(results.encode(), has_more, (at, last_id))


def read_call(call_id: Any) -> bytes | None:
    """The call as JSON, wherever it is; None when the line has no such call."""
    rows = call_statement().fetch_all({"id": call_id, **_bound()})
    return rows[0][0].encode() if rows else None


def count_calls(query: ListQuery, values: Mapping[str, Any], *, exact: bool) -> tuple[int, bool]:
    """The number of calls that match the filters, and whether it is exact.

    Unless exact is required, the count stops: (10_000, False) means at least 10,000 calls.
    """
    most = None
    if not exact:
        is_filtered = query.filters or query.searches or query.outcomes
        most = MAX_COUNTED if is_filtered else MAX_COUNTED_UNFILTERED
    with connection.cursor() as cursor:
        # LIMIT NULL is none.
        sql = COUNT.format(rows=_unordered(query))
        cursor.execute(sql, {**values, **_bound(), "most": most})
        [found] = cursor.fetchone()
    return (found, True) if most is None or found <= most else (most, False)


def _bound() -> dict[str, Any]:
    """Parameters of every statement."""
    return {"line": current_scope().phone_id, "playable": playable_pattern()}


@lru_cache(maxsize=1000)
def page_sql(query: ListQuery) -> str:
    way, _ = ORDERS[query.order]
    ordered = [ORDERED.format(rows=rows, way=way) for rows in _parts_of(query, with_limit=True)]
    rows = ordered[0]
    if len(ordered) > 1:
        rows = MERGED.format(rows=" UNION ALL ".join(ordered), way=way)
    if OF_OUTCOMES.intersection(query.fields):
        rows = WITH_OUTCOMES.format(rows=rows)
    shown = [_expression(name) for name in query.fields]
    if "words" in query.searches:
        headlines = ", ".join(HEADLINE.format(name) for name in ("ai_summary", "transcript"))
        shown.append(HIGHLIGHTS.format(headlines))
    moment = MOMENT.format("c.created_at")
    return PAGE.format(rows=rows, fields=", ".join(shown), moment=moment)


@lru_cache(maxsize=1000)
def _page_statement(query: ListQuery, limit: int) -> Statement:
    # With the limit in the text: for an unknown one the planner assumes a tenth of all rows.
    types = {"line": "text", "playable": "text"}
    if query.after_cursor:
        types |= {"at": "timestamptz", "after_id": "uuid"}
    return Statement(page_sql(query).replace("%(limit)s", str(limit)), **types)


@lru_cache(maxsize=1)
def call_statement() -> Statement:
    query = ListQuery(filters=("id",), archived="include")
    rows = " UNION ALL ".join(_rows(query, table, parts=True) for table in PLACES["include"])
    rows = WITH_OUTCOMES.format(rows=rows)
    fields = [*map(_expression, FIELDS), *(f"c.{name}" for name in PART_FIELDS)]
    sql = ONE.format(rows=rows, fields=", ".join(fields))
    return Statement(sql, line="text", playable="text", id="uuid")


def _expression(name: str) -> str:
    return f"{EXPRESSIONS.get(name, f'c.{name}')} AS {name}"


def _unordered(query: ListQuery) -> str:
    return " UNION ALL ".join(_parts_of(query))


def _parts_of(query: ListQuery, *, with_limit: bool = False) -> list[str]:
    """The rows of the list, in parts that have none in common and an index each."""
    if not query.outcomes:
        return [_rows(query, table, with_limit=with_limit) for table in PLACES[query.archived]]
    return [
        _rows(
            query, table, with_limit=with_limit, also=(f"({condition})", OF_OUTCOME.format(value))
        )
        for table in PLACES[query.archived]
        for value in query.outcomes
        for condition in narrowed(value, table, "c")
    ]


def _part(name: str, table: str) -> str:
    """The column of a call's legs or recordings."""
    of, order = PART_TABLES[name]
    rows = PART_ROWS[table].format(table=of, name=name)
    return PART.format(fields=PART_FIELDS[name], order=order, rows=rows, name=name)


def _rows(
    query: ListQuery,
    table: str,
    *,
    with_limit: bool = False,
    parts: bool = False,
    also: tuple[str, ...] = (),
) -> str:
    conditions = ["c.phone_id = %(line)s", *also, *(FILTERS[name] for name in query.filters)]
    if query.after_cursor:
        _, before = ORDERS[query.order]
        conditions.append(
            f"(c.created_at, c.id) {before} (%(at)s::timestamptz, %(after_id)s::uuid)"
        )
    if query.searches:
        arguments = [SEARCHES[name] for name in query.searches]
        if with_limit and not (query.filters or also) and query.order == "-created_at":
            # Without other filters the newest matches are the page.
            arguments.append("at_most => %(limit)s + 1")
            if query.after_cursor:
                arguments.append("before_at => %(at)s::timestamptz")
                arguments.append("before_id => %(after_id)s::uuid")
        conditions.append(FOUND[table].format(", ".join(arguments)))
    columns = [COLUMNS, *(_part(name, table) for name in PART_FIELDS if parts)]
    shows_outcomes = not OF_OUTCOMES.isdisjoint(query.fields)
    if shows_outcomes:
        columns.append("facts.metadata, facts.leg_words")
    return ROWS.format(
        columns=", ".join(columns),
        archived="true" if table == "calls_archive" else "false",
        table=table,
        facts=JOINED_FACTS.format(facts_sql(table, "c")) if shows_outcomes or also else "",
        conditions=" AND ".join(conditions),
    )
