-- Asks for more rows than there is room for.
SELECT count(DISTINCT a * b) FROM generate_series(1, 100000) a, generate_series(1, 100000) b;
