"""What would be reported on every installation, and is as it should be: metric, subject, why."""

DOCUMENT = "the schema document has it so"

ACCEPTED = {
    ("open_search_paths", "update_updated_at_column()"): f"{DOCUMENT}; it names no table",
    ("foreign_keys_without_index", "procrastinate_jobs.procrastinate_jobs_worker_id_fkey"): (
        "procrastinate's own; it clears the jobs of a worker through a partial index"
    ),
    # Beginnings of idx_calls_phone_status_date and others.
    ("redundant_indexes", "idx_calls_phone_id"): DOCUMENT,
    ("redundant_indexes", "idx_calls_status"): DOCUMENT,
    ("redundant_indexes", "idx_calls_caller_number"): DOCUMENT,
    # Served by indexes of ours where both would do.
    ("unused_indexes", "idx_calls_phone_id"): DOCUMENT,
    ("unused_indexes", "idx_calls_created_at"): DOCUMENT,
    ("unused_indexes", "idx_calls_status"): DOCUMENT,
    ("unused_indexes", "idx_calls_caller_number"): DOCUMENT,
    ("unused_indexes", "idx_calls_phone_status_date"): DOCUMENT,
    ("unused_indexes", "idx_active_calls"): DOCUMENT,
    ("unused_indexes", "idx_calls_created_brin"): DOCUMENT,
    ("unused_indexes", "idx_analytics_phone_date"): DOCUMENT,
    ("unused_indexes", "idx_call_metadata_jsonb"): DOCUMENT,
    ("unused_indexes", "idx_call_tags"): DOCUMENT,
}
