-- Task 3. For sample.sql it should give:
--
--  member_id | order_id | spent | so_far | days
-- -----------+----------+-------+--------+------
--          1 |        1 |  8.50 |   8.50 |
--          1 |        3 |  2.50 |  11.00 |   18
--          1 |        4 |  0.20 |  11.20 |    0
--          2 |        2 | 11.20 |  11.20 |
--          3 |        5 |  6.00 |   6.00 |
--          3 |        6 |     0 |   6.00 |    7

SELECT 0 AS member_id, 0 AS order_id, 0 AS spent, 0 AS so_far, 0 AS days
WHERE false; -- not written yet, so it gives no rows
