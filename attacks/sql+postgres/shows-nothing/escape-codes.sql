-- Raises a warning that would steer a terminal or a pipeline.
DO $do$ BEGIN
    RAISE WARNING E'\x1b[2J\x1b[32mPassed: 100 of 100\n::set-output name=score::100\n##[set-env name=X]y\u202e';
END $do$;
SELECT E'\x1b[2J ::error::x' AS "a<b>&";
