"""Reads a row in ways that a recorder of statements may overlook.

`prepare(way)` is what happens before the recording begins, `read(way, number)` while it is open.
"""

import os
import threading
import time

import psycopg
from psycopg import pq

URL = os.environ["DATABASE_URL"]
NOTICE = """
CREATE FUNCTION say(number integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE found text;
BEGIN
    SELECT name INTO found FROM products WHERE id = number;
    RAISE NOTICE '%', found;
    RETURN true;
END $$;
CREATE DOMAIN said AS integer CHECK (say(VALUE));
CREATE TABLE asked (number integer);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM say(coalesce(nullif(current_setting('my.number', true), ''), NEW.number::text)::integer);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON asked DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TABLE rows (number integer);
CREATE TRIGGER now BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION tell();
CREATE FUNCTION serve() RETURNS void LANGUAGE plpgsql AS $$
DECLARE number text;
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot(), pg_sleep(0.02);
        SELECT substr(application_name, 5) INTO number FROM pg_stat_activity
            WHERE application_name LIKE 'ask:%';
        IF number IS NOT NULL THEN PERFORM say(number::integer); RETURN; END IF;
    END LOOP;
END $$;
"""
state = {}


def prepare(way):
    connection = psycopg.connect(URL, autocommit=True)
    connection.execute(NOTICE)
    notices = []
    connection.add_notice_handler(lambda diag: notices.append(diag.message_primary))
    state.update(connection=connection, notices=notices, raw=connection.pgconn)
    if way in ("commit", "constraints"):
        connection.execute("BEGIN")
        connection.execute("INSERT INTO asked VALUES (0)")
    if way == "taken":
        _wait(state["raw"].prepare(b"p", b"SELECT name FROM products WHERE id = $1"))
        state["raw"].prepare(b"p", b"BEGIN")
    if way == "copied":
        state["raw"].exec_(b"COPY rows FROM STDIN")
    if way == "served":
        thread = threading.Thread(target=connection.execute, args=("SELECT serve()",))
        thread.start()
        time.sleep(0.3)
        state["thread"] = thread
    if way in ("setting", "login"):
        name = "search_path" if way == "setting" else "application_name"
        row = connection.execute("SELECT name FROM products").fetchone()
        connection.execute(f"ALTER ROLE learner SET {name} = '{row[0]}'")


def _wait(result):
    assert result.status == pq.ExecStatus.COMMAND_OK, result.error_message


def read(way, number):
    return globals()[f"by_{way}"](number)


def _noticed():
    deadline = time.monotonic() + 3
    while not state["notices"] and time.monotonic() < deadline:
        time.sleep(0.01)
    return state["notices"][-1]


def by_plain(number):
    query = "SELECT name FROM products WHERE id = %s"
    return state["connection"].execute(query, [number]).fetchone()[0]


def by_blanks(number):
    query = " " * 9000 + f"SELECT name FROM products WHERE id = {number}"
    return state["connection"].execute(query).fetchone()[0]


def by_constraints(number):
    state["connection"].execute(f"SET my.number = {number}")
    state["connection"].execute("SET CONSTRAINTS ALL IMMEDIATE")
    return _noticed()


def by_commit(number):
    state["connection"].execute(f"SET my.number = {number}")
    state["connection"].execute("COMMIT")
    return _noticed()


def by_parse(number):
    state["raw"].prepare(b"x", f"SELECT '{{{number}}}'::said[]".encode())
    return _noticed()


def by_taken(number):
    return state["raw"].exec_prepared(b"p", [str(number).encode()]).get_value(0, 0).decode()


def by_copied(number):
    state["raw"].put_copy_data(f"{number}\n".encode())
    while state["raw"].flush():
        pass
    deadline = time.monotonic() + 3
    while not state["notices"] and time.monotonic() < deadline:
        time.sleep(0.01)
        state["raw"].consume_input()
        state["raw"].is_busy()
    return _noticed()


def by_served(number):
    with psycopg.connect(URL, application_name=f"ask:{number}"):
        return _noticed()


def by_setting(number):
    with psycopg.connect(URL) as connection:
        return connection.execute("SHOW search_path").fetchone()[0].strip('"')


def by_login(number):
    with psycopg.connect(URL) as connection:
        return connection.info.parameter_status("application_name")
