-- Tells psql to go on after an error and to call it a success.
\set ON_ERROR_STOP off
\set QUIET on
\set ON_ERROR_ROLLBACK on
