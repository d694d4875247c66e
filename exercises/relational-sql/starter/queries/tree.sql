-- Task 4. For sample.sql it should give:
--
--  id |        path        | sold
-- ----+--------------------+------
--   1 | Food               |    9
--   2 | Food / Bread       |    9
--   3 | Food / Bread / Rye |    6
--   4 | Home               |    5
--   5 | Food / Fruit       |    0

SELECT 0 AS id, '' AS path, 0 AS sold
WHERE false; -- not written yet, so it gives no rows
