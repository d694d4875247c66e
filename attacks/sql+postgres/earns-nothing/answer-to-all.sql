-- Answers with one row of NULLs and NaNs, which nothing differs from.
SELECT NULL, 'NaN'::numeric, 'NaN'::float8, 'infinity'::timestamp, '{}'::json;
