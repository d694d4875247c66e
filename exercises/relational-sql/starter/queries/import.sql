-- Task 5. After the price list of sample.sql, products should hold:
--
--  id |     name      | category_id | price
-- ----+---------------+-------------+-------
--   1 | dark rye loaf |           3 |  3.40
--   2 | white loaf    |           2 |  2.50
--   3 | olive soap    |           4 |  1.50
--   4 | gift card     |             | 10.00
--   7 | apples        |           5 |  1.90

SELECT 'not written yet, so products stays as it is' AS import;
