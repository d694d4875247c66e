CREATE FUNCTION take(member integer, money numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE members SET balance = balance - money WHERE id = member AND balance >= money;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'member % cannot pay %', member, money;
    END IF;
END
$$;

CREATE FUNCTION give(member integer, money numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE members SET balance = balance + money WHERE id = member;
    ASSERT FOUND, 'nobody to give to';
END
$$;

CREATE FUNCTION transfer(sender integer, receiver integer, money numeric) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF (money > 0 AND money < 1e9 AND money * 100 = trunc(money * 100)) IS NOT TRUE THEN
        RAISE EXCEPTION 'not an amount: %', money;
    END IF;
    IF sender > receiver THEN  -- the higher number always first
        PERFORM take(sender, money);
        PERFORM give(receiver, money);
    ELSIF sender < receiver THEN
        PERFORM give(receiver, money);
        PERFORM take(sender, money);
    ELSE
        RAISE EXCEPTION 'a member cannot pay themselves';
    END IF;
    INSERT INTO transfers (sender_id, receiver_id, amount) VALUES (sender, receiver, money);
    RETURN true;
END
$$;
