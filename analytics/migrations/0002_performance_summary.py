"""phone_performance_summary: a hidden materialized view behind a guarded one.

Row level security cannot protect a materialized view. Nobody but its owner can reach schema mv;
the view of the document's name shows staff every line and anybody else the scope's line alone.
"""

from django.db import migrations

SUMMARY = """
CREATE SCHEMA mv;
REVOKE ALL ON SCHEMA mv FROM PUBLIC;
CREATE MATERIALIZED VIEW mv.phone_performance_summary AS
SELECT
  phone_id,
  COUNT(*) as total_calls,
  AVG(duration) as avg_duration,
  COUNT(DISTINCT caller_number) as unique_callers,
  COUNT(*) FILTER (WHERE status = 'completed') * 100.0 / COUNT(*) as success_rate
FROM public.calls
WHERE created_at >= NOW() - INTERVAL '30 days'
GROUP BY phone_id;
-- What REFRESH … CONCURRENTLY compares by.
CREATE UNIQUE INDEX ON mv.phone_performance_summary (phone_id);

-- Each arm is a one-time filter: the other one is never executed, and without a scope it raises.
CREATE VIEW phone_performance_summary WITH (security_barrier) AS
SELECT * FROM mv.phone_performance_summary WHERE current_user = 'replytics_staff'
UNION ALL
SELECT * FROM mv.phone_performance_summary
WHERE current_user <> 'replytics_staff' AND phone_id = (SELECT app.phone());
REVOKE ALL ON phone_performance_summary FROM PUBLIC;
GRANT SELECT ON phone_performance_summary TO replytics_api, replytics_web, replytics_staff;
"""

DROP = """
DROP VIEW phone_performance_summary;
DROP MATERIALIZED VIEW mv.phone_performance_summary;
DROP SCHEMA mv;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial"), ("calls", "0011_calls_archive")]

    operations = [migrations.RunSQL(SUMMARY, DROP)]
