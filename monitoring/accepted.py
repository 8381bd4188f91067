"""Findings that are expected on every installation: metric, subject, reason."""

DOCUMENT = "required by the schema document"

# Rooms above add theirs.
ACCEPTED = {
    ("open_search_paths", "update_updated_at_column()"): f"{DOCUMENT}; it names no table",
    ("foreign_keys_without_index", "procrastinate_jobs.procrastinate_jobs_worker_id_fkey"): (
        "procrastinate's own; it clears the jobs of a worker through a partial index"
    ),
}
