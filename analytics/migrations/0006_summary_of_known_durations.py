"""The summary counts as the daily statistics do: durations, successful calls and callers.

The new view is filled beside the old one, which is locked for the exchange alone.
"""

from django.db import migrations

NEW = """
CREATE MATERIALIZED VIEW mv.new_summary AS
SELECT
  phone_id,
  COUNT(*) as total_calls,
  AVG(duration) FILTER (WHERE status IN ('completed', 'failed')
    AND provider_status IS DISTINCT FROM 'timed-out') as avg_duration,
  COUNT(DISTINCT caller_number) FILTER (WHERE caller_number NOT IN ('anonymous', 'unknown'))
    as unique_callers,
  COUNT(*) FILTER (WHERE status = 'completed'
    AND provider_status IS DISTINCT FROM 'timed-out') * 100.0 / COUNT(*) as success_rate
FROM public.calls
WHERE created_at >= NOW() - INTERVAL '30 days'
GROUP BY phone_id;
"""
FORMER = """
CREATE MATERIALIZED VIEW mv.new_summary AS
SELECT
  phone_id,
  COUNT(*) as total_calls,
  AVG(duration) as avg_duration,
  COUNT(DISTINCT caller_number) as unique_callers,
  COUNT(*) FILTER (WHERE status = 'completed') * 100.0 / COUNT(*) as success_rate
FROM public.calls
WHERE created_at >= NOW() - INTERVAL '30 days'
GROUP BY phone_id;
"""
# The guarded view is that of 0002_summary_for_the_owner, over the new one; its grants stay.
EXCHANGE = """
CREATE UNIQUE INDEX ON mv.new_summary (phone_id);
CREATE OR REPLACE VIEW phone_performance_summary WITH (security_barrier) AS
SELECT * FROM mv.new_summary WHERE pg_has_role(current_user, 'replytics_staff', 'USAGE')
UNION ALL
SELECT * FROM mv.new_summary
WHERE NOT pg_has_role(current_user, 'replytics_staff', 'USAGE')
    AND phone_id = (SELECT app.phone());
DROP MATERIALIZED VIEW mv.phone_performance_summary;
ALTER MATERIALIZED VIEW mv.new_summary RENAME TO phone_performance_summary;
ALTER INDEX mv.new_summary_phone_id_idx RENAME TO phone_performance_summary_phone_id_idx;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_recount_known_durations")]

    operations = [migrations.RunSQL(NEW + EXCHANGE, FORMER + EXCHANGE)]
