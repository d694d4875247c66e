CREATE FUNCTION transfer(sender integer, receiver integer, money numeric) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    available numeric;
BEGIN
    IF money IS NULL OR money <= 0 OR money <> round(money, 2) THEN
        RAISE EXCEPTION 'an amount is a positive number of whole cents, not %', money;
    END IF;
    IF sender = receiver THEN
        RAISE EXCEPTION 'member % cannot pay themselves', sender;
    END IF;

    IF (SELECT count(*) FROM members WHERE id IN (sender, receiver)) < 2 THEN
        RAISE EXCEPTION 'member % or % does not exist', sender, receiver;
    END IF;
    SELECT balance INTO available FROM members WHERE id = sender FOR UPDATE;
    IF available < money THEN
        RAISE EXCEPTION 'member % has %, which is less than %', sender, available, money;
    END IF;

    UPDATE members SET balance = balance - money WHERE id = sender;
    UPDATE members SET balance = balance + money WHERE id = receiver;
    INSERT INTO transfers (sender_id, receiver_id, amount) VALUES (sender, receiver, money);
END
$$;
