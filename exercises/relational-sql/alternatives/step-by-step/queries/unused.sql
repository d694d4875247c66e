WITH unused AS (
    SELECT id FROM categories
    EXCEPT
    SELECT category_id FROM products
    EXCEPT
    SELECT parent_id FROM categories
)
SELECT id, name FROM unused JOIN categories USING (id) ORDER BY id;
