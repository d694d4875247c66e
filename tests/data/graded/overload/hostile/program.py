"""Wants more of the servers than they have. Each attack is meant to end them, or to hold them."""

import os
import socket
import threading
import time
import urllib.parse

import psycopg
import redis

kept = []


def perform(attack):
    return ATTACKS[attack]()


def count():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return connection.execute("SELECT n FROM counter WHERE id = 1").fetchone()[0]


def remember(key, value):
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.set(key, value)
    return client.get(key)


def database():
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    connection.execute("SET statement_timeout = 0")
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    return connection


def cache():
    return redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None)


# -- PostgreSQL -----------------------------------------------------------------------------------


def postgres_memory():
    """One backend takes all the memory of the server's container."""
    database().execute("SELECT array_agg(n) FROM generate_series(1, 200000000) AS n").fetchall()
    return 3


def postgres_work_memory():
    """Many backends, each within its own limit."""

    def sort():
        connection = database()
        connection.execute("SET work_mem = '1GB'")
        connection.execute(
            "SELECT n, md5(n::text) FROM generate_series(1, 3000000) AS n ORDER BY 2 OFFSET 2999999"
        ).fetchall()

    threads = [threading.Thread(target=sort) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 3


def postgres_disk():
    """A table as large as the server's disk."""
    connection = database()
    connection.execute("CREATE TABLE big (text text)")
    connection.execute("ALTER TABLE big ALTER text SET STORAGE EXTERNAL")
    connection.execute("INSERT INTO big SELECT repeat('x', 100000) FROM generate_series(1, 5000)")
    return 3


def postgres_many_small_writes():
    """The same with a transaction for each write: the log of writes grows, too."""
    connection = database()
    connection.execute("CREATE TABLE big (text text)")
    while True:
        connection.execute(
            "INSERT INTO big SELECT repeat(md5(n::text), 60) FROM generate_series(1, 1000) AS n"
        )


def postgres_temporary_files():
    connection = database()
    connection.execute(
        "SELECT md5(n::text) || repeat('x', 500) AS text FROM generate_series(1, 500000) AS n"
        " ORDER BY text OFFSET 499999"
    )
    return 3


def postgres_connections():
    """As many as can be had, and they stay open."""
    while True:
        kept.append(database())


def postgres_locks():
    """A lock on the table that the test reads next, held by a connection that stays open."""
    connection = database()
    connection.execute("BEGIN")
    connection.execute("LOCK TABLE counter IN ACCESS EXCLUSIVE MODE")
    kept.append(connection)
    return 3


def postgres_long_query():
    """Nobody waits for its answer."""
    connection = database()
    threading.Thread(
        target=connection.execute, args=("SELECT pg_sleep(1000)",), daemon=True
    ).start()
    time.sleep(0.2)
    return 3


# -- Redis ----------------------------------------------------------------------------------------


def redis_memory():
    client = cache()
    number = 0
    while True:
        number += 1
        client.set(f"key{number}", "x" * 1_000_000)


def redis_huge_value():
    cache().set("key", b"x" * 24_000_000)
    return 3


def redis_many_huge_values():
    """Commands that never become whole, on many connections: the server must keep their parts."""
    url = urllib.parse.urlsplit(os.environ["REDIS_URL"])
    login = f"AUTH {url.username} {url.password}\r\n".encode()
    for _ in range(40):
        connection = socket.create_connection(("127.0.0.1", 6379))
        connection.sendall(login + b"*2\r\n$3\r\nSET\r\n$6000000\r\n")
        kept.append(connection)
        try:
            connection.sendall(b"x" * 5_900_000)
        except OSError:
            continue
    return 3


def redis_unread_answers():
    """Ask for much and read none of it."""
    client = cache()
    client.set("key", b"x" * 5_000_000)
    url = urllib.parse.urlsplit(os.environ["REDIS_URL"])
    connection = socket.create_connection(("127.0.0.1", 6379))
    kept.append(connection)
    connection.sendall(f"AUTH {url.username} {url.password}\r\n".encode() + b"GET key\r\n" * 200)
    time.sleep(1)
    return 3


def redis_connections():
    while True:
        client = cache().client()
        client.ping()
        kept.append(client)


def redis_endless_script():
    """A script that can be ended, since it has written nothing."""
    cache().eval("while true do end", 0)
    return 3


def redis_endless_script_that_wrote():
    """A script that Redis itself refuses to end."""
    cache().eval("redis.call('SET', 'a', 'b') while true do end", 0)
    return 3


def redis_memory_of_a_script():
    """The interpreter's memory is not what Redis counts."""
    cache().eval("local t = {} while true do t[#t + 1] = string.rep('x', 1000000) .. #t end", 0)
    return 3


def redis_functions():
    """Functions that would answer for the next program."""
    client = cache()
    client.function_load("#!lua name=mine\nredis.register_function('get', function() return 3 end)")
    client.script_load("return 3")
    return 3


ATTACKS = {name: value for name, value in globals().items() if name.startswith(("postgres_", "redis_"))}
