-- Drops all that there is, and tries its own database and account.
DO $do$
BEGIN
    BEGIN EXECUTE $x$DROP DATABASE learner$x$; RAISE WARNING 'GOT THROUGH: dropped %', $x$DROP DATABASE learner$x$; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE $x$DROP ROLE learner$x$; RAISE WARNING 'GOT THROUGH: dropped %', $x$DROP ROLE learner$x$; EXCEPTION WHEN OTHERS THEN NULL; END;
END
$do$;

DROP SCHEMA public CASCADE;
ALTER ROLE learner PASSWORD 'x';
ALTER ROLE learner NOLOGIN;
