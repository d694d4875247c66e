SELECT a.member_id, a.id AS order_id, a.spent,
    (SELECT sum(b.spent) FROM order_values b WHERE b.member_id = a.member_id
        AND (b.placed_on < a.placed_on OR b.placed_on = a.placed_on AND b.id <= a.id)) AS so_far,
    a.placed_on - lag(a.placed_on) OVER (
        PARTITION BY a.member_id ORDER BY a.placed_on, a.id) AS days
FROM order_values a
ORDER BY a.member_id, a.placed_on, a.id;
