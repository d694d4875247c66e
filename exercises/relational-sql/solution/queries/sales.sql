-- Lines and reviews are summed up apart: joined to a product together, each would multiply the other.
WITH sold AS (
    SELECT product_id, sum(quantity) AS pieces FROM order_lines GROUP BY product_id
),
reviewed AS (
    SELECT product_id, count(*) AS reviews, round(avg(stars), 2) AS stars
    FROM reviews
    GROUP BY product_id
)
SELECT
    products.id AS product_id,
    coalesce(sold.pieces, 0) AS sold,
    coalesce(reviewed.reviews, 0) AS reviews,
    reviewed.stars
FROM products
LEFT JOIN sold ON sold.product_id = products.id
LEFT JOIN reviewed ON reviewed.product_id = products.id
ORDER BY products.id;
