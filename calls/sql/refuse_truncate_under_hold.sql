-- Called by the triggers …_refuse(s)_truncate, which each partition of the archive has as well:
-- TRUNCATE of a partition fires no trigger of its parent.
CREATE OR REPLACE FUNCTION app.refuse_truncate_under_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.legal_holds WHERE released_at IS NULL) THEN
        RAISE EXCEPTION 'Calls are under legal hold: % is not emptied until staff release them.',
            TG_TABLE_NAME
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION app.refuse_truncate_under_hold() FROM PUBLIC;
