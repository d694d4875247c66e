-- Task 3. For sample.sql it should give:
--
--    month    | place | member_id | spent
-- ------------+-------+-----------+-------
--  2024-05-01 |     1 |         1 | 11.20
--  2024-05-01 |     1 |         2 | 11.20
--  2024-06-01 |     1 |         3 |  6.00

SELECT current_date AS month, 0 AS place, 0 AS member_id, 0 AS spent
WHERE false; -- not written yet, so it gives no rows
