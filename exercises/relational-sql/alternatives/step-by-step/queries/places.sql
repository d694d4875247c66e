SELECT * FROM (
    SELECT month, rank() OVER (PARTITION BY month ORDER BY sum(spent) DESC) AS place,
        member_id, sum(spent)::float8 AS spent
    FROM order_values, date_trunc('month', placed_on) AS month
    WHERE count > 0
    GROUP BY month, member_id
) AS ranked
WHERE place IN (1, 2, 3)
ORDER BY month, place, member_id;
