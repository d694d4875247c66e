CREATE TEMP TABLE last_lines AS
SELECT * FROM price_list a
WHERE NOT EXISTS (
    SELECT FROM price_list b WHERE b.product_id = a.product_id AND b.line > a.line
);

UPDATE products SET
    name = l.name,
    price = l.price,
    category_id = coalesce(l.category_id, products.category_id)
FROM last_lines l
WHERE l.product_id = products.id;

INSERT INTO products (id, name, category_id, price)
SELECT product_id, name, category_id, price FROM last_lines
ON CONFLICT DO NOTHING;
