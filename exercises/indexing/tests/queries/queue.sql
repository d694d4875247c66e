-- What a depot has to load next.
:explain
SELECT id, code, sent_at
FROM parcels
WHERE depot_id = :'depot' AND status = 'waiting'
ORDER BY sent_at, id
LIMIT 20;
