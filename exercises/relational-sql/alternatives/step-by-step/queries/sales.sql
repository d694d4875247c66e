CREATE TEMP TABLE report AS SELECT id AS product_id, 0 AS sold, 0 AS reviews, NULL::numeric AS stars FROM products;
UPDATE report r SET sold = s.sold
FROM (SELECT product_id, sum(quantity) AS sold FROM order_lines GROUP BY product_id) s
WHERE s.product_id = r.product_id;
UPDATE report r SET reviews = s.reviews, stars = round(s.total::numeric / s.reviews, 2)
FROM (SELECT product_id, count(*) AS reviews, sum(stars) AS total FROM reviews GROUP BY 1) s
WHERE s.product_id = r.product_id;
SELECT product_id, sold, reviews, stars FROM report ORDER BY product_id;
-- done
