SELECT
    products.id AS product_id,
    coalesce(sum(order_lines.quantity), 0) AS sold,
    count(reviews.stars) AS reviews,
    round(avg(reviews.stars), 2) AS stars
FROM products
LEFT JOIN order_lines ON order_lines.product_id = products.id
LEFT JOIN reviews ON reviews.product_id = products.id
GROUP BY products.id
ORDER BY products.id;
