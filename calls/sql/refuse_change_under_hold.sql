-- Called by the triggers …_hold_keeps_rows and …_hold_keeps_evidence of tables with a call_id.
CREATE OR REPLACE FUNCTION app.refuse_change_under_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.legal_holds WHERE call_id = OLD.call_id AND released_at IS NULL)
    THEN
        RAISE EXCEPTION 'The call is under legal hold: what is known of it cannot be changed or deleted until staff release the hold.'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
REVOKE ALL ON FUNCTION app.refuse_change_under_hold() FROM PUBLIC;
