-- Never ends.
SELECT pg_sleep(1000);
