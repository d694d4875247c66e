SELECT id, name
FROM categories
WHERE NOT EXISTS (SELECT FROM products WHERE products.category_id = categories.id)
  AND NOT EXISTS (SELECT FROM categories AS child WHERE child.parent_id = categories.id)
ORDER BY id;
