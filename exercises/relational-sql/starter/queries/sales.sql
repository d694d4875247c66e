-- Task 2. For sample.sql it should give:
--
--  product_id | sold | reviews | stars
-- ------------+------+---------+-------
--           1 |    6 |       3 |  4.33
--           2 |    3 |       0 |
--           3 |    5 |       1 |  2.00
--           4 |    0 |       0 |

SELECT 0 AS product_id, 0 AS sold, 0 AS reviews, 0 AS stars
WHERE false; -- not written yet, so it gives no rows
