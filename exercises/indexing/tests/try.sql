-- psql -f schema.sql -f seed.sql -f indexes.sql -f try.sql
-- Set explain to '' to see the rows instead.
\set explain 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF)'
\set email 'DAN.DALE3@post.example'
\set code '5344237AD062'
\set customer 7
\set depot 3
\set month '2025-11-01'
SET max_parallel_workers_per_gather = 0;
VACUUM ANALYZE customers, parcels, scans;
\i queries/login.sql
\i queries/track.sql
\i queries/recent.sql
\i queries/queue.sql
\i queries/invoice.sql
