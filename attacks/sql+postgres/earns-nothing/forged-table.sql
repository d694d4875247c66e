-- Prints a table of its own with psql's commands, before or after the answer.
\echo product_id,sold,reviews,stars
\echo 1,6,3,4.33
\qecho ok
\o /dev/stdout
