"""A call's legs, recordings and decisions in the archive: the rows of their tables, as JSON."""

from dataclasses import dataclass

from calls.claims import PROVIDER_SID_OF

FOLDED = """(
    SELECT coalesce(
        jsonb_agg(to_jsonb(p) - ARRAY['phone_id', 'call_sid'] ORDER BY {order}), '[]')
    FROM public.{table} p WHERE (p.phone_id, p.call_sid) = ({call}.phone_id, {sid})
)"""


@dataclass(frozen=True)
class Part:
    """A table whose rows belong to a call by line and SID, and their column in the archive."""

    table: str
    column: str
    order: str
    # The rows' call_sid, as an expression over the row {call} of calls or calls_archive.
    sid: str = "{call}.call_sid"

    def sid_of(self, call: str) -> str:
        return self.sid.format(call=call)

    def folded(self, call: str) -> str:
        """The column's value, as an expression over this row of calls or calls_archive."""
        return FOLDED.format(order=self.order, table=self.table, call=call, sid=self.sid_of(call))


PARTS = [
    Part("call_legs", "legs", order="p.leg_sid"),
    Part("call_recordings", "recordings", order="p.recording_sid"),
    Part("call_decisions", "decisions", order="p.created_at, p.digest", sid=PROVIDER_SID_OF),
]


def folded_parts(call: str) -> str:
    """The columns of all parts, over this row of calls or calls_archive."""
    return ", ".join(f"{part.folded(call)} AS {part.column}" for part in PARTS)
