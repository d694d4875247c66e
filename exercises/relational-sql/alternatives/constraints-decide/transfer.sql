-- Nearly everything that can be wrong is refused by the tables.
CREATE FUNCTION transfer(from_id integer, to_id integer, cash numeric) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
    who integer;
BEGIN
    IF cash <> round(cash, 2) THEN
        RAISE numeric_value_out_of_range USING MESSAGE = 'whole cents, please';
    END IF;
    FOREACH who IN ARRAY ARRAY[least(from_id, to_id), greatest(from_id, to_id)] LOOP
        UPDATE members
        SET balance = balance + CASE who WHEN from_id THEN -cash ELSE cash END
        WHERE id = who;
    END LOOP;
    INSERT INTO transfers (sender_id, receiver_id, amount)
    VALUES (from_id, to_id, cash)
    RETURNING id INTO made;
    RETURN made;
END
$$;
