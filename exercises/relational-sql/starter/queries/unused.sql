-- Task 2. For sample.sql it should give:
--
--  id | name
-- ----+-------
--   5 | Fruit

SELECT 0 AS id, '' AS name
WHERE false; -- not written yet, so it gives no rows
