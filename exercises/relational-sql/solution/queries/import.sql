INSERT INTO products (id, name, category_id, price)
SELECT DISTINCT ON (product_id) product_id, name, category_id, price
FROM price_list
ORDER BY product_id, line DESC
ON CONFLICT (id) DO UPDATE SET
    name = EXCLUDED.name,
    category_id = coalesce(EXCLUDED.category_id, products.category_id),
    price = EXCLUDED.price;
