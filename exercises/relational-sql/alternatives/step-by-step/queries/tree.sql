SELECT id, path_of(id) AS path, sold_in(id) AS sold FROM categories ORDER BY id;
