"""Asks PostgreSQL for the rights of others, and for files and programs of its machine."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

STATEMENTS = [
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE learner SUPERUSER",
    "GRANT pg_execute_server_program TO learner",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "CREATE TABLE t (x text); COPY t FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
    "CREATE EXTENSION plpython3u",
    "CREATE FUNCTION f(text) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SELECT pg_reload_conf()",
]
with psycopg.connect(URL, autocommit=True) as connection:
    for statement in STATEMENTS:
        try:
            connection.execute(statement)
            got_through(statement)
        except psycopg.Error:
            continue
