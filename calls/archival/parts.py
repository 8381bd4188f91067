"""A call's legs and recordings as the archive holds them: the rows of their tables, as JSON."""

# Expressions over the row {call}, of calls or of calls_archive.
LEGS = """(
    SELECT coalesce(
        jsonb_agg(to_jsonb(l) - ARRAY['phone_id', 'call_sid'] ORDER BY l.leg_sid), '[]')
    FROM public.call_legs l WHERE (l.phone_id, l.call_sid) = ({call}.phone_id, {call}.call_sid)
)"""
RECORDINGS = """(
    SELECT coalesce(
        jsonb_agg(to_jsonb(r) - ARRAY['phone_id', 'call_sid'] ORDER BY r.recording_sid), '[]')
    FROM public.call_recordings r
    WHERE (r.phone_id, r.call_sid) = ({call}.phone_id, {call}.call_sid)
)"""
