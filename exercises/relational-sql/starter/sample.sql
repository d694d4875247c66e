-- A small co-op to try your queries on. It is not graded, change it as you like.

INSERT INTO members (id, email, name, balance) VALUES
    (1, 'ann@x.org', 'Ann', 20.00),
    (2, 'bob@x.org', 'Bob', 5.00),
    (3, 'cleo@x.org', 'Cleo', 0.00);

INSERT INTO categories (id, name, parent_id) VALUES
    (1, 'Food', NULL),
    (2, 'Bread', 1),
    (3, 'Rye', 2),
    (4, 'Home', NULL),
    (5, 'Fruit', 1);

INSERT INTO products (id, name, category_id, price) VALUES
    (1, 'rye loaf', 3, 3.00),
    (2, 'white loaf', 2, 2.50),
    (3, 'soap', 4, 1.20),
    (4, 'gift card', NULL, 10.00);

INSERT INTO orders (id, member_id, placed_on) VALUES
    (1, 1, '2024-05-02'),
    (2, 2, '2024-05-03'),
    (3, 1, '2024-05-20'),
    (4, 1, '2024-05-20'),
    (5, 3, '2024-06-01'),
    (6, 3, '2024-06-08');

INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES
    (1, 1, 2, 3.00),
    (1, 2, 1, 2.50),
    (2, 1, 4, 2.80),
    (3, 2, 1, 2.50),
    (4, 2, 1, 0.20),
    (5, 3, 5, 1.20);

INSERT INTO reviews (product_id, member_id, stars) VALUES
    (1, 1, 5),
    (1, 2, 4),
    (1, 3, 4),
    (3, 3, 2);

INSERT INTO price_list (line, product_id, name, category_id, price) VALUES
    (1, 1, 'rye loaf', 3, 3.20),
    (2, 7, 'apples', 5, 1.90),
    (3, 3, 'olive soap', NULL, 1.50),
    (4, 1, 'dark rye loaf', 3, 3.40);
