-- Called by the triggers update_<table>_updated_at: database.triggers.StampUpdatedAt.
--
-- The schema document's function; pg_catalog.now(), so that no search path puts another in its
-- place.
CREATE OR REPLACE FUNCTION public.update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = pg_catalog.now();
    RETURN NEW;
END
$$;
