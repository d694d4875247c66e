WITH worth AS (
    SELECT
        orders.id,
        orders.member_id,
        orders.placed_on,
        coalesce(sum(order_lines.quantity * order_lines.price), 0) AS spent
    FROM orders
    LEFT JOIN order_lines ON order_lines.order_id = orders.id
    GROUP BY orders.id, orders.member_id, orders.placed_on
)
SELECT
    member_id,
    id AS order_id,
    spent,
    sum(spent) OVER earlier AS so_far,
    placed_on - lag(placed_on) OVER earlier AS days
FROM worth
-- With the id, no two orders are equal: else those of one day would all get the sum of the day.
WINDOW earlier AS (PARTITION BY member_id ORDER BY placed_on, id)
ORDER BY member_id, placed_on, id;
