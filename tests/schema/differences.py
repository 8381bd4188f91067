"""Where our schema differs from the document's on purpose: reason, object, (document, ours)."""

NOW_NOT_NULL = (
    "timestamp with time zone DEFAULT now()",
    "timestamp with time zone NOT NULL DEFAULT now()",
)
TEXT_C = ("text NOT NULL", 'text COLLATE "C" NOT NULL')
COUNT = (None, "integer NOT NULL DEFAULT 0")
OBJECT = (None, "jsonb NOT NULL DEFAULT '{}'::jsonb")
LIST = (None, "jsonb NOT NULL DEFAULT '[]'::jsonb")
CONFIDENCE = (
    None,
    "CHECK (((ai_confidence >= (0)::numeric) AND (ai_confidence <= (1)::numeric)))",
)
# Statistics queue nothing for the calls that the archiver moves.
NOT_MOVED = (
    "WHEN (current_setting('app.archiving'::text, true) IS DISTINCT FROM 'on'::text"
    " OR CURRENT_USER <> 'replytics_staff'::name)"
)
LINE = (None, "FOREIGN KEY (phone_id) REFERENCES phone_numbers(id) ON DELETE CASCADE")
KNOWN_TIMEZONE = (None, "CHECK (app.is_timezone(timezone))")

DIFFERENCES: dict[str, dict[str, tuple[str | None, str | None]]] = {
    "a column with a default is never NULL: the document's TypeScript interface says so": {
        "column phone_numbers.created_at": NOW_NOT_NULL,
        "column voice_settings.speech_speed": (
            "numeric(3,2) DEFAULT 1.0",
            "numeric(3,2) NOT NULL DEFAULT 1.0",
        ),
        "column voice_settings.updated_at": NOW_NOT_NULL,
        "column conversation_rules.created_at": NOW_NOT_NULL,
        "column calls.duration": ("integer DEFAULT 0", "integer NOT NULL DEFAULT 0"),
        "column calls.created_at": NOW_NOT_NULL,
        "column calls.updated_at": NOW_NOT_NULL,
        "column calls_archive.duration": ("integer DEFAULT 0", "integer NOT NULL DEFAULT 0"),
        "column calls_archive.created_at": NOW_NOT_NULL,
        "column calls_archive.updated_at": NOW_NOT_NULL,
        "column call_metadata.tags": (
            "text[] DEFAULT '{}'::text[]",
            "text[] NOT NULL DEFAULT '{}'::text[]",
        ),
        "column call_metadata.custom_fields": (
            "jsonb DEFAULT '{}'::jsonb",
            "jsonb NOT NULL DEFAULT '{}'::jsonb",
        ),
        "column call_metadata.created_at": NOW_NOT_NULL,
        "column daily_call_stats.created_at": NOW_NOT_NULL,
    },
    'under collation "C" a btree serves prefix searches, on any server': {
        "column calls.caller_number": TEXT_C,
        "column calls.call_sid": TEXT_C,
        "column calls_archive.caller_number": TEXT_C,
        "column calls_archive.call_sid": TEXT_C,
    },
    "whose day is it: a line has a timezone": {
        "column phone_numbers.timezone": (None, "text NOT NULL DEFAULT 'UTC'::text"),
        "constraint phone_numbers.phone_numbers_timezone_known": KNOWN_TIMEZONE,
        "constraint business_hours.business_hours_timezone_known": KNOWN_TIMEZONE,
    },
    "the legs and recordings of a call go with it when its SID is confirmed": {
        "trigger calls.calls_parts_follow_sid": (
            None,
            "AFTER UPDATE OF call_sid ON calls FOR EACH ROW WHEN (old.call_sid <> new.call_sid)"
            " EXECUTE FUNCTION app.move_call_parts()",
        ),
    },
    "hours of one day do not overlap, further intervals among them": {
        "constraint business_hours.business_hours_overlap": (None, "TRIGGER DEFERRABLE"),
        "trigger business_hours.business_hours_overlap": (
            None,
            "AFTER INSERT OR UPDATE OF phone_id, day_of_week, open_time, close_time, timezone,"
            " is_closed ON business_hours DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW"
            " EXECUTE FUNCTION app.business_hours_overlap()",
        ),
    },
    "a call belongs to the line that held its number as it began": {
        "trigger phone_numbers.phone_numbers_holder": (
            None,
            "AFTER INSERT ON phone_numbers FOR EACH ROW"
            " EXECUTE FUNCTION app.record_number_holder()",
        ),
        "trigger phone_numbers.phone_numbers_new_number": (
            None,
            "AFTER UPDATE ON phone_numbers FOR EACH ROW WHEN (old.number <> new.number)"
            " EXECUTE FUNCTION app.record_number_holder()",
        ),
    },
    "what cannot be right is refused": {
        "constraint phone_numbers.phone_numbers_id_form": (
            None,
            "CHECK ((id ~ '^[+0-9A-Za-z_:.-]{1,64}$'::text))",
        ),
        "constraint phone_numbers.phone_numbers_number_e164": (
            None,
            r"CHECK ((number ~ '^\+[1-9][0-9]{1,14}$'::text))",
        ),
        "constraint voice_settings.voice_settings_language_tag": (
            None,
            "CHECK ((language ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$'::text))",
        ),
        "constraint voice_settings.voice_settings_speech_speed_range": (
            None,
            "CHECK (((speech_speed >= 0.25) AND (speech_speed <= (4)::numeric)))",
        ),
        "constraint business_hours.business_hours_time_of_day": (
            None,
            "CHECK (((open_time <= '23:59:59.999999'::time without time zone)"
            " AND (close_time <= '23:59:59.999999'::time without time zone)))",
        ),
        "constraint calls.calls_ai_confidence_range": CONFIDENCE,
        "constraint calls_archive.calls_ai_confidence_range": CONFIDENCE,
        "constraint conversation_rules.conversation_rules_conditions_object": (
            None,
            "CHECK ((jsonb_typeof(conditions) = 'object'::text))",
        ),
        "constraint conversation_rules.conversation_rules_actions_object": (
            None,
            "CHECK ((jsonb_typeof(actions) = 'object'::text))",
        ),
        "constraint call_metadata.call_metadata_metadata_object": (
            None,
            "CHECK ((jsonb_typeof(metadata) = 'object'::text))",
        ),
        "constraint call_metadata.call_metadata_custom_fields_object": (
            None,
            "CHECK ((jsonb_typeof(custom_fields) = 'object'::text))",
        ),
    },
    "metadata is isolated by its own phone_id, which a trigger fills and holds": {
        "column call_metadata.phone_id": (None, "text NOT NULL"),
        "constraint call_metadata.call_metadata_phone_id_fkey": LINE,
        "index call_metadata.idx_call_metadata_phone_id": (None, "btree (phone_id)"),
        "trigger call_metadata.call_metadata_follows_call": (
            None,
            "BEFORE INSERT OR UPDATE OF call_id, phone_id ON call_metadata"
            " FOR EACH ROW EXECUTE FUNCTION app.call_metadata_follows_call()",
        ),
    },
    "a call stays with its line": {
        "trigger calls.calls_line_is_fixed": (
            None,
            "BEFORE UPDATE ON calls FOR EACH ROW WHEN (old.phone_id IS DISTINCT FROM new.phone_id)"
            " EXECUTE FUNCTION app.calls_line_is_fixed()",
        ),
    },
    "a late event never takes a call back": {
        "trigger calls.calls_status_moves_forward": (
            None,
            "BEFORE UPDATE ON calls FOR EACH ROW WHEN (old.status IS DISTINCT FROM new.status"
            " AND (new.status = 'ringing'::text OR (old.status = ANY (ARRAY['completed'::text,"
            " 'failed'::text])) AND (old.provider_status IS DISTINCT FROM 'timed-out'::text"
            " OR NOT new.provider_status IS DISTINCT FROM 'timed-out'::text)))"
            " EXECUTE FUNCTION app.calls_status_moves_forward()",
        ),
    },
    "the provider's own word is kept": {
        "column calls.provider_status": (None, "text"),
        "column calls_archive.provider_status": (None, "text"),
    },
    "a legal hold keeps a call": {
        "column calls.legal_hold": (None, "boolean NOT NULL DEFAULT false"),
        "column calls_archive.legal_hold": (None, "boolean NOT NULL DEFAULT false"),
        "trigger calls.calls_hold_keeps_evidence": (
            None,
            "BEFORE UPDATE ON calls FOR EACH ROW WHEN (old.legal_hold AND (old.id IS NOT NULL "
            "AND old.id IS DISTINCT FROM new.id OR old.recording_url IS NOT NULL AND "
            "old.recording_url IS DISTINCT FROM new.recording_url OR old.transcript IS NOT "
            "NULL AND old.transcript IS DISTINCT FROM new.transcript OR old.ai_summary IS NOT "
            "NULL AND old.ai_summary IS DISTINCT FROM new.ai_summary OR old.call_sid <> "
            "new.call_sid AND old.call_sid <> app.claimed_sid(new.call_sid, new.phone_id) OR "
            "old.caller_number <> 'unknown'::text AND old.caller_number <> "
            "new.caller_number)) EXECUTE FUNCTION app.calls_hold_keeps_evidence()",
        ),
        "trigger call_metadata.call_metadata_hold_keeps_evidence": (
            None,
            "BEFORE UPDATE ON call_metadata FOR EACH ROW WHEN (old.call_id IS NOT NULL AND "
            "old.call_id IS DISTINCT FROM new.call_id OR old.metadata IS NOT NULL AND "
            "old.metadata IS DISTINCT FROM new.metadata OR old.tags IS NOT NULL AND old.tags IS "
            "DISTINCT FROM new.tags OR old.custom_fields IS NOT NULL AND old.custom_fields IS "
            "DISTINCT FROM new.custom_fields OR old.created_at IS NOT NULL AND old.created_at IS "
            "DISTINCT FROM new.created_at) EXECUTE FUNCTION app.refuse_change_under_hold()",
        ),
        "trigger call_metadata.call_metadata_hold_keeps_rows": (
            None,
            "BEFORE DELETE ON call_metadata FOR EACH ROW EXECUTE FUNCTION "
            "app.refuse_change_under_hold()",
        ),
        "trigger call_metadata.call_metadata_hold_refuses_truncate": (
            None,
            "BEFORE TRUNCATE ON call_metadata FOR EACH STATEMENT EXECUTE FUNCTION "
            "app.refuse_truncate_under_hold()",
        ),
        "trigger calls.calls_hold_follows_record": (
            None,
            "BEFORE UPDATE ON calls FOR EACH ROW WHEN (old.legal_hold IS DISTINCT FROM "
            "new.legal_hold) EXECUTE FUNCTION app.require_legal_hold()",
        ),
        "trigger calls.calls_hold_is_recorded": (
            None,
            "BEFORE INSERT ON calls FOR EACH ROW WHEN (new.legal_hold) EXECUTE FUNCTION "
            "app.require_legal_hold()",
        ),
        "trigger calls.calls_hold_keeps_rows": (
            None,
            "BEFORE DELETE ON calls FOR EACH ROW WHEN (old.legal_hold) EXECUTE FUNCTION "
            "app.refuse_delete_under_hold()",
        ),
        "trigger calls.calls_hold_refuses_truncate": (
            None,
            "BEFORE TRUNCATE ON calls FOR EACH STATEMENT EXECUTE FUNCTION "
            "app.refuse_truncate_under_hold()",
        ),
        "trigger calls_archive.calls_archive_hold_follows_record": (
            None,
            "BEFORE UPDATE ON calls_archive FOR EACH ROW WHEN (old.legal_hold IS DISTINCT FROM "
            "new.legal_hold) EXECUTE FUNCTION app.require_legal_hold()",
        ),
        "trigger calls_archive.calls_archive_hold_is_recorded": (
            None,
            "BEFORE INSERT ON calls_archive FOR EACH ROW WHEN (new.legal_hold) EXECUTE FUNCTION "
            "app.require_legal_hold()",
        ),
        "trigger calls_archive.calls_archive_hold_keeps_evidence": (
            None,
            "BEFORE UPDATE ON calls_archive FOR EACH ROW WHEN (old.legal_hold AND "
            "((to_jsonb(old.*) - "
            "'{legal_hold,updated_at,recording_url,legs,recordings,decisions}'::text[]) IS "
            "DISTINCT FROM (to_jsonb(new.*) - "
            "'{legal_hold,updated_at,recording_url,legs,recordings,decisions}'::text[]) OR "
            "old.recording_url IS NOT NULL AND old.recording_url IS DISTINCT FROM "
            "new.recording_url OR NOT app.keeps_parts(NULL::call_legs, old.legs, new.legs) OR "
            "NOT app.keeps_parts(NULL::call_recordings, old.recordings, new.recordings) OR "
            "NOT app.keeps_parts(NULL::call_decisions, old.decisions, new.decisions))) "
            "EXECUTE FUNCTION "
            "app.calls_archive_hold_keeps_evidence()",
        ),
        "trigger calls_archive.calls_archive_hold_keeps_rows": (
            None,
            "BEFORE DELETE ON calls_archive FOR EACH ROW WHEN (old.legal_hold) EXECUTE FUNCTION "
            "app.refuse_delete_under_hold()",
        ),
        "trigger calls_archive.calls_archive_hold_refuses_truncate": (
            None,
            "BEFORE TRUNCATE ON calls_archive FOR EACH STATEMENT EXECUTE FUNCTION "
            "app.refuse_truncate_under_hold()",
        ),
    },
    "call_sid is unique over calls and their archive": {
        "trigger calls.calls_sid_not_archived": (
            None,
            "AFTER INSERT OR UPDATE OF call_sid ON calls"
            " FOR EACH ROW EXECUTE FUNCTION app.refuse_archived_sid()",
        ),
        "trigger calls_archive.calls_archive_remembers_sids": (
            None,
            "AFTER INSERT ON calls_archive REFERENCING NEW TABLE AS added"
            " FOR EACH STATEMENT EXECUTE FUNCTION app.remember_archived_sids()",
        ),
        "trigger calls_archive.calls_archive_forgets_sids": (
            None,
            "AFTER DELETE ON calls_archive REFERENCING OLD TABLE AS removed"
            " FOR EACH STATEMENT EXECUTE FUNCTION app.forget_archived_sids()",
        ),
        "trigger calls_archive.calls_archive_forgets_all_sids": (
            None,
            "AFTER TRUNCATE ON calls_archive"
            " FOR EACH STATEMENT EXECUTE FUNCTION app.forget_archived_sids()",
        ),
        "trigger calls_archive.calls_archive_sid_is_fixed": (
            None,
            "BEFORE UPDATE ON calls_archive FOR EACH ROW"
            " WHEN (old.call_sid IS DISTINCT FROM new.call_sid)"
            " EXECUTE FUNCTION app.calls_archive_sid_is_fixed()",
        ),
    },
    "words of a call go when it is neither live nor archived": {
        "trigger calls.calls_forget_words": (
            None,
            "AFTER DELETE ON calls REFERENCING OLD TABLE AS removed FOR EACH STATEMENT"
            " WHEN (current_setting('app.archiving'::text, true)"
            " IS DISTINCT FROM 'on'::text OR CURRENT_USER <> 'replytics_staff'::name)"
            " EXECUTE FUNCTION app.forget_words()",
        ),
        "trigger calls.calls_forget_all_words": (
            None,
            "AFTER TRUNCATE ON calls FOR EACH STATEMENT EXECUTE FUNCTION app.forget_words()",
        ),
        "trigger calls_archive.calls_archive_index_words": (
            None,
            "AFTER INSERT ON calls_archive REFERENCING NEW TABLE AS added FOR EACH STATEMENT"
            " WHEN (current_setting('app.archiving'::text, true)"
            " IS DISTINCT FROM 'on'::text OR CURRENT_USER <> 'replytics_staff'::name)"
            " EXECUTE FUNCTION app.index_archived_words()",
        ),
        "trigger calls_archive.calls_archive_index_changed_words": (
            None,
            "AFTER UPDATE OF transcript, ai_summary ON calls_archive FOR EACH ROW"
            " WHEN (old.transcript IS DISTINCT FROM new.transcript"
            " OR old.ai_summary IS DISTINCT FROM new.ai_summary)"
            " EXECUTE FUNCTION app.index_call_words()",
        ),
        "trigger calls_archive.calls_archive_forgets_words": (
            None,
            "AFTER DELETE ON calls_archive REFERENCING OLD TABLE AS removed"
            " FOR EACH STATEMENT EXECUTE FUNCTION app.forget_words()",
        ),
        "trigger calls_archive.calls_archive_forgets_all_words": (
            None,
            "AFTER TRUNCATE ON calls_archive FOR EACH STATEMENT"
            " EXECUTE FUNCTION app.forget_words()",
        ),
    },
    "updated_at is stamped on every table that has it": {
        "trigger voice_settings.update_voice_settings_updated_at": (
            None,
            "BEFORE UPDATE ON voice_settings FOR EACH ROW"
            " EXECUTE FUNCTION update_updated_at_column()",
        ),
    },
    "no search path can put another now() in its place": {
        "function update_updated_at_column()": (
            "trigger plpgsql v begin new.updated_at = now(); return new; end",
            "trigger plpgsql v begin new.updated_at = pg_catalog.now(); return new; end",
        ),
    },
    "latest calls of one line, page by page; the document's indexes leave a sort": {
        "index calls.idx_calls_phone_created": (
            None,
            "btree (phone_id, created_at DESC, id DESC)",
        ),
    },
    "support looks a caller up over all lines": {
        "index calls.idx_calls_caller_created": (None, "btree (caller_number, created_at DESC)"),
    },
    "calls of low confidence, for review": {
        "index calls.idx_calls_waiting": (
            None,
            "btree (created_at DESC, id DESC) INCLUDE (phone_id, status)"
            " WHERE (ai_confidence < 0.5)",
        ),
    },
    "calls under legal hold, very few, for the working list": {
        "index calls.idx_calls_legal_hold": (
            None,
            "btree (created_at DESC, id DESC) WHERE legal_hold",
        ),
    },
    "how a call ended, also where an outcome is rare on a line": {
        "function outcome(calls)": (
            None,
            'text plpgsql s {"search_path=pg_catalog, pg_temp"} begin return'
            " app.call_outcome(call.status, call.provider_status, call.duration, (select"
            " m.metadata from public.call_metadata as m where m.call_id = call.id), array(select"
            " l.status from public.call_legs as l where (l.phone_id, l.call_sid) ="
            " (call.phone_id, call.call_sid))); end",
        ),
        "function archived_outcome(calls_archive)": (
            None,
            "text sql s select app.call_outcome(call.status, call.provider_status,"
            " call.duration, call.metadata, array(select l->>'status' from"
            " jsonb_array_elements(call.legs) as l))",
        ),
        "index calls.idx_calls_not_answered": (
            None,
            "btree (phone_id, provider_status, created_at DESC, id DESC)"
            " WHERE ((status = 'failed'::text) OR (provider_status = 'timed-out'::text))",
        ),
        "index call_metadata.idx_call_metadata_messages": (
            None,
            "btree (phone_id) WHERE (metadata @> '{\"message_taken\": true}'::jsonb)",
        ),
        "index call_metadata.idx_call_metadata_ended_by_us": (
            None,
            'btree (phone_id) WHERE (metadata @> \'{"ended_by": "us"}\'::jsonb)',
        ),
    },
    "a rule transfers to a number other than the line's own, or to a place that exists": {
        "trigger conversation_rules.conversation_rules_transfer_target": (
            None,
            "BEFORE INSERT OR UPDATE OF rule_type, actions, phone_id ON conversation_rules"
            " FOR EACH ROW WHEN (new.rule_type = 'transfer'::text AND (new.actions ->>"
            " 'transfer_to'::text) IS NOT NULL)"
            " EXECUTE FUNCTION app.conversation_rules_transfer_target()",
        ),
    },
    "the rules of a line in the order in which they are tried": {
        "index conversation_rules.idx_rules_phone_priority": (
            None,
            "btree (phone_id, priority DESC)",
        ),
    },
    "one day over all lines": {
        "index daily_call_stats.idx_daily_stats_date": (None, "btree (date DESC)"),
    },
    "the document shows nothing of call_analytics but its index": {
        "column call_analytics.total_calls": COUNT,
        "column call_analytics.answered_calls": COUNT,
        "column call_analytics.successful_calls": COUNT,
        "column call_analytics.live_calls": COUNT,
        "column call_analytics.measured_calls": COUNT,
        "column call_analytics.total_duration": (None, "bigint NOT NULL DEFAULT 0"),
        "column call_analytics.unique_callers": COUNT,
        "column call_analytics.created_at": (
            None,
            "timestamp with time zone NOT NULL DEFAULT now()",
        ),
        "constraint call_analytics.call_analytics_pkey": (
            None,
            "PRIMARY KEY (date_bucket, phone_id)",
        ),
        "index call_analytics.call_analytics_pkey": (
            None,
            "UNIQUE btree (date_bucket, phone_id)",
        ),
    },
    "row level security cannot protect a materialized view: it is hidden in schema mv": {
        "view phone_performance_summary": (
            None,
            " SELECT phone_performance_summary.phone_id, phone_performance_summary.total_calls,"
            " phone_performance_summary.avg_duration, phone_performance_summary.unique_callers,"
            " phone_performance_summary.success_rate FROM mv.phone_performance_summary"
            " WHERE pg_has_role(CURRENT_USER, 'replytics_staff'::name, 'USAGE'::text) UNION ALL"
            " SELECT phone_performance_summary.phone_id, phone_performance_summary.total_calls,"
            " phone_performance_summary.avg_duration, phone_performance_summary.unique_callers,"
            " phone_performance_summary.success_rate FROM mv.phone_performance_summary"
            " WHERE ((NOT pg_has_role(CURRENT_USER, 'replytics_staff'::name, 'USAGE'::text)) AND"
            " (phone_performance_summary.phone_id = ( SELECT app.phone() AS phone)));",
        ),
    },
    "the archive is partitioned by month, and every key of it contains the month": {
        "table calls_archive": ("whole", "partitioned by RANGE (created_at)"),
        "constraint calls_archive.calls_archive_pkey": (
            "PRIMARY KEY (id)",
            "PRIMARY KEY (id, created_at)",
        ),
        "index calls_archive.calls_archive_pkey": (
            "UNIQUE btree (id)",
            "UNIQUE btree (id, created_at)",
        ),
        "constraint calls_archive.calls_archive_call_sid_key": ("UNIQUE (call_sid)", None),
        "index calls_archive.calls_archive_call_sid_key": ("UNIQUE btree (call_sid)", None),
        "index calls_archive.idx_archive_search": (
            None,
            "gin (phone_id, tags, metadata jsonb_path_ops, custom_fields jsonb_path_ops)"
            " WITH (gin_pending_list_limit='256')",
        ),
        "index calls_archive.idx_archive_call_sid": (None, "btree (call_sid)"),
    },
    "an archived call keeps its id": {
        "column calls_archive.id": ("uuid NOT NULL DEFAULT gen_random_uuid()", "uuid NOT NULL"),
    },
    "the cascade from calls would lose the metadata: the archive row carries it": {
        "trigger calls_archive.calls_archive_keeps_metadata": (
            None,
            "BEFORE INSERT ON calls_archive FOR EACH ROW WHEN (new.metadata_created_at IS NULL"
            " AND current_setting('app.archiving'::text, true) IS DISTINCT FROM 'on'::text)"
            " EXECUTE FUNCTION app.calls_archive_keeps_metadata()",
        ),
        "column calls_archive.metadata_created_at": (None, "timestamp with time zone"),
        "column calls_archive.metadata": OBJECT,
        "column calls_archive.tags": (None, "text[] NOT NULL DEFAULT '{}'::text[]"),
        "column calls_archive.custom_fields": OBJECT,
        "column calls_archive.archived_at": (
            None,
            "timestamp with time zone NOT NULL DEFAULT now()",
        ),
    },
    "a line takes its archive with it": {
        "constraint calls_archive.calls_archive_phone_id_fkey": LINE,
    },
    "the archive is read in three ways and has an index for each": {
        "index calls_archive.idx_archive_created": (None, "btree (created_at DESC, id DESC)"),
        "index calls_archive.idx_archive_phone_created": (
            None,
            "btree (phone_id, created_at DESC, id DESC)",
        ),
        "index calls_archive.idx_archive_caller_created": (
            None,
            "btree (caller_number, created_at DESC)",
        ),
        "index calls_archive.calls_archive_created_at_idx": ("btree (created_at DESC)", None),
        "index calls_archive.calls_archive_created_at_idx1": ("brin (created_at)", None),
        "index calls_archive.calls_archive_phone_id_caller_number_idx": (
            "btree (phone_id, caller_number)",
            None,
        ),
        "index calls_archive.calls_archive_phone_id_created_at_idx": (
            "btree (phone_id, created_at DESC)"
            " WHERE (status = ANY (ARRAY['ringing'::text, 'answered'::text]))",
            None,
        ),
        "index calls_archive.calls_archive_phone_id_idx": ("btree (phone_id)", None),
        "index calls_archive.calls_archive_phone_id_status_created_at_idx": (
            "btree (phone_id, status, created_at DESC)",
            None,
        ),
        "index calls_archive.calls_archive_phone_id_status_idx": (
            "btree (phone_id, status)",
            None,
        ),
    },
    "a day says how many calls were completed, as the document's daily query does": {
        "column daily_call_stats.successful_calls": COUNT,
    },
    "a call whose length is unknown is not of 0 seconds: an average is over the others": {
        "column daily_call_stats.live_calls": COUNT,
        "column daily_call_stats.measured_calls": COUNT,
    },
    "the summary counts as the daily statistics do, archived calls included": {
        "materialized view phone_performance_summary": (
            " SELECT phone_id, count(*) AS total_calls, avg(duration) AS avg_duration,"
            " count(DISTINCT caller_number) AS unique_callers,"
            " (((count(*) FILTER (WHERE (status = 'completed'::text)))::numeric * 100.0)"
            " / (count(*))::numeric) AS success_rate"
            " FROM calls WHERE (created_at >= (now() - '30 days'::interval)) GROUP BY phone_id;",
            " SELECT phone_id, count(*) AS total_calls, avg(duration) FILTER (WHERE"
            " ((status = ANY (ARRAY['completed'::text, 'failed'::text])) AND"
            " (provider_status IS DISTINCT FROM 'timed-out'::text))) AS avg_duration,"
            " count(DISTINCT caller_number) FILTER (WHERE"
            " (caller_number <> ALL (ARRAY['anonymous'::text, 'unknown'::text])))"
            " AS unique_callers, (((count(*) FILTER (WHERE ((status = 'completed'::text) AND"
            " (provider_status IS DISTINCT FROM 'timed-out'::text))))::numeric * 100.0)"
            " / (count(*))::numeric) AS success_rate"
            " FROM ( SELECT phone_id, duration, caller_number, status,"
            " provider_status FROM calls"
            " WHERE (created_at >= (now() - '30 days'::interval))"
            " UNION ALL SELECT phone_id, duration,"
            " caller_number, status, provider_status"
            " FROM calls_archive"
            " WHERE (created_at >= (now() - '30 days'::interval))) counted"
            " GROUP BY phone_id;",
        ),
    },
    "callers of a day that is partly out of the database are known as a maximum": {
        "column daily_call_stats.callers_exact": (None, "boolean NOT NULL DEFAULT true"),
    },
    "statistics follow their calls: each changed hour is queued": {
        "trigger calls.calls_queue_inserted": (
            None,
            "AFTER INSERT ON calls REFERENCING NEW TABLE AS inserted"
            " FOR EACH STATEMENT EXECUTE FUNCTION app.queue_new_calls()",
        ),
        "trigger calls.calls_queue_deleted": (
            None,
            "AFTER DELETE ON calls REFERENCING OLD TABLE AS deleted"
            f" FOR EACH STATEMENT {NOT_MOVED} EXECUTE FUNCTION app.queue_deleted_calls()",
        ),
        "trigger calls_archive.calls_archive_queue_inserted": (
            None,
            "AFTER INSERT ON calls_archive REFERENCING NEW TABLE AS inserted"
            f" FOR EACH STATEMENT {NOT_MOVED} EXECUTE FUNCTION app.queue_inserted_calls()",
        ),
        "trigger calls_archive.calls_archive_queue_deleted": (
            None,
            "AFTER DELETE ON calls_archive REFERENCING OLD TABLE AS deleted"
            " FOR EACH STATEMENT EXECUTE FUNCTION app.queue_deleted_calls()",
        ),
        "trigger calls.calls_queue_updated": (
            None,
            "AFTER UPDATE ON calls FOR EACH ROW WHEN (old.status IS DISTINCT FROM new.status"
            " OR old.provider_status IS DISTINCT FROM new.provider_status"
            " OR old.duration IS DISTINCT FROM new.duration"
            " OR old.caller_number IS DISTINCT FROM new.caller_number"
            " OR old.created_at IS DISTINCT FROM new.created_at)"
            " EXECUTE FUNCTION app.queue_updated_call()",
        ),
        "trigger phone_numbers.phone_numbers_requeue": (
            None,
            "AFTER UPDATE ON phone_numbers FOR EACH ROW"
            " WHEN (old.timezone IS DISTINCT FROM new.timezone)"
            " EXECUTE FUNCTION app.requeue_line()",
        ),
    },
    "a call has legs, several recordings and decisions, in the archive within its row": {
        "column calls_archive.legs": LIST,
        "column calls_archive.recordings": LIST,
        "column calls_archive.decisions": LIST,
        "trigger calls.calls_forget_parts": (
            None,
            "AFTER DELETE ON calls REFERENCING OLD TABLE AS removed FOR EACH STATEMENT"
            f" {NOT_MOVED} EXECUTE FUNCTION app.forget_call_parts()",
        ),
        "trigger calls.calls_forget_all_parts": (
            None,
            "AFTER TRUNCATE ON calls FOR EACH STATEMENT EXECUTE FUNCTION app.forget_call_parts()",
        ),
        "trigger calls_archive.calls_archive_keeps_parts": (
            None,
            "BEFORE INSERT ON calls_archive FOR EACH ROW"
            " WHEN (new.legs = '[]'::jsonb AND new.recordings = '[]'::jsonb"
            " AND new.decisions = '[]'::jsonb"
            " AND current_setting('app.archiving'::text, true) IS DISTINCT FROM 'on'::text)"
            " EXECUTE FUNCTION app.calls_archive_keeps_parts()",
        ),
    },
    "search inside one line reads an index": {
        "index call_metadata.idx_call_metadata_search": (
            None,
            "gin (phone_id, tags, metadata jsonb_path_ops, custom_fields jsonb_path_ops)",
        ),
        "trigger calls.calls_index_words": (
            None,
            "AFTER INSERT ON calls FOR EACH ROW"
            " WHEN (new.transcript IS NOT NULL OR new.ai_summary IS NOT NULL)"
            " EXECUTE FUNCTION app.index_call_words()",
        ),
        "trigger calls.calls_index_changed_words": (
            None,
            "AFTER UPDATE OF transcript, ai_summary ON calls FOR EACH ROW"
            " WHEN (old.transcript IS DISTINCT FROM new.transcript"
            " OR old.ai_summary IS DISTINCT FROM new.ai_summary)"
            " EXECUTE FUNCTION app.index_call_words()",
        ),
    },
}
