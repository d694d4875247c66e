-- The latest parcels of one customer.
:explain
SELECT id, code, status, sent_at
FROM parcels
WHERE customer_id = :'customer'
ORDER BY sent_at DESC, id DESC
LIMIT 20;
