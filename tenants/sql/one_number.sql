-- Called by triggers of number_assignments, transfer_places and conversation_rules,
-- app.telephony_lines() and migrations.
--
-- tenants.numbers.one_form(): the one form of an E.164 number of which two are in use, Mexico's and
-- Brazil's mobile numbers; any other as it is.
CREATE OR REPLACE FUNCTION app.one_number(number text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN number ~ '^\+521[0-9]{10}$' THEN '+52' || substr(number, 5)
        WHEN number ~ '^\+55[1-9][0-9]([689][0-9]|7[1-6])[0-9]{6}$'
            THEN substr(number, 1, 5) || '9' || substr(number, 6)
        ELSE number END
$$;
