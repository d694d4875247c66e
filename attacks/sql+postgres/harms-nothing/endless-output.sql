-- Answers with more rows than anybody can read.
SELECT repeat('x', 100000) FROM generate_series(1, 1000000);
