-- Somebody logs in, and types the email in other letters than last year.
:explain
SELECT id, name
FROM customers
WHERE lower(email) = lower(:'email');
