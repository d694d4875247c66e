-- What a customer pays for one month, given by its first day.
:explain
SELECT count(*) AS parcels, sum(price) AS total
FROM parcels
WHERE customer_id = :'customer'
  AND sent_at >= :'month'::date
  AND sent_at < :'month'::date + interval '1 month';
