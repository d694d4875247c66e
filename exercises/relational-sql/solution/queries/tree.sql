WITH RECURSIVE tree AS (
    SELECT id, name AS path, ARRAY[id] AS line FROM categories WHERE parent_id IS NULL
    UNION ALL
    SELECT categories.id, tree.path || ' / ' || categories.name, tree.line || categories.id
    FROM categories
    JOIN tree ON tree.id = categories.parent_id
)
SELECT tree.id, tree.path, coalesce(sum(order_lines.quantity), 0) AS sold
FROM tree
JOIN tree AS below ON tree.id = ANY (below.line) -- a category is in its own line, too
LEFT JOIN products ON products.category_id = below.id
LEFT JOIN order_lines ON order_lines.product_id = products.id
GROUP BY tree.id, tree.path
ORDER BY tree.id;
