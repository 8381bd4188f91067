-- Called by app.call_outcome() and by the queries of calls.outcomes.
--
-- Who ended the call: caller, us, provider, or transfer_target, the person it was transferred to;
-- NULL where nobody reported it. What the AI pipeline wrote to the metadata comes first. The
-- provider calls canceled what the calling side ended before an answer: we, if the line called.
CREATE OR REPLACE FUNCTION app.call_ended_by(provider_status text, metadata jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE
        WHEN metadata->>'ended_by' IN ('caller', 'us', 'provider', 'transfer_target')
            THEN metadata->>'ended_by'
        WHEN provider_status = 'timed-out' THEN 'us'
        WHEN provider_status = 'failed' THEN 'provider'
        WHEN provider_status = 'canceled' THEN
            CASE WHEN metadata->>'direction' ~ '^out|^trunking-terminating$' THEN 'us'
                ELSE 'caller' END
    END;
END
$$;
