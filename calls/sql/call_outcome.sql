-- Called by outcome(), archived_outcome() and the queries of calls.outcomes, which describes the
-- values.
--
-- How a call ended, live or archived, by what is stored of it: the first that holds. legs: the
-- provider's word for the status of each of its legs. Of metadata, which may be NULL, it reads
-- message_taken and what app.call_ended_by() reads.
CREATE OR REPLACE FUNCTION app.call_outcome(
    status text, provider_status text, duration integer, metadata jsonb, legs text[]
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE
        WHEN status NOT IN ('completed', 'failed') THEN 'in_progress'
        WHEN legs && '{completed,answered,in-progress}' THEN 'transferred_answered'
        WHEN metadata @> '{"message_taken": true}' THEN 'message_taken'
        WHEN legs <> '{}' AND legs <@ '{busy,no-answer,canceled,failed}'
            THEN 'transferred_not_answered'
        WHEN provider_status = 'timed-out' THEN 'ended_by_us'
        WHEN legs <> '{}' THEN 'not_known'  -- how the transfer went was not reported
        WHEN status = 'completed' AND duration > 10 THEN 'answered_by_ai'
        WHEN status = 'failed' AND provider_status = 'busy' THEN 'busy'
        WHEN status = 'failed' AND provider_status = 'failed' THEN 'failed_at_provider'
        WHEN app.call_ended_by(provider_status, metadata) = 'us' THEN 'ended_by_us'
        WHEN status = 'completed' THEN 'hung_up_within_10_s'
        WHEN provider_status IN ('no-answer', 'canceled') THEN 'hung_up_before_answer'
        ELSE 'not_known'
    END;
END
$$;
