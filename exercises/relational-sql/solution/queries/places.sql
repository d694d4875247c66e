WITH months AS (
    SELECT
        date_trunc('month', orders.placed_on)::date AS month,
        orders.member_id,
        sum(order_lines.quantity * order_lines.price) AS spent
    FROM orders
    JOIN order_lines ON order_lines.order_id = orders.id
    GROUP BY 1, 2
),
places AS (
    SELECT month, rank() OVER (PARTITION BY month ORDER BY spent DESC) AS place, member_id, spent
    FROM months
)
SELECT month, place, member_id, spent
FROM places
WHERE place <= 3
ORDER BY month, place, member_id;
